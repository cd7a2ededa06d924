/** What every transport must do, as cases for any test runner. Ours pass it; so must your own. */
import { systemClock, type Clock } from '../clock.ts'
import { closingCases } from './transport/closing.ts'
import { Kit, type Ability, type Case, type TransportUnderTest } from './transport/kit.ts'
import { messageCases } from './transport/messages.ts'
import { openingCases } from './transport/opening.ts'

export interface TransportSuiteOptions {
  /** Makes the transport, anew for each case. */
  readonly open: () => TransportUnderTest | Promise<TransportUnderTest>
  /** What it cannot do, each with the reason, such as `{ 'free port': 'names have no ports' }`. */
  readonly lacks?: Partial<Record<Ability, string>>
  /** For a transport in virtual time; then let that time pass while a case runs. */
  readonly clock?: Clock
}

export interface SuiteCase {
  readonly title: string
  /** Rejects with an error in words when the transport does not do it. */
  readonly run: () => Promise<void>
}

/**
 * The cases. A case that needs something the transport lacks is left out.
 *
 * @example
 * for (const { title, run } of transportSuite({ open: () => ({ dial: own, listen: own, nextAddress }) })) test(title, run)
 */
export function transportSuite(options: TransportSuiteOptions): SuiteCase[] {
  const { lacks = {} } = options
  const cases: readonly Case[] = [...openingCases, ...messageCases, ...closingCases]
  return cases
    .filter(({ needs }) => needs === undefined || lacks[needs] === undefined)
    .map(({ title, run }) => ({ title, run: () => runCase(run, options) }))
}

async function runCase(run: Case['run'], options: TransportSuiteOptions): Promise<void> {
  const kit = new Kit(await options.open(), options.clock ?? systemClock)
  try {
    await run(kit)
  } finally {
    await kit.cleanUp()
  }
}
