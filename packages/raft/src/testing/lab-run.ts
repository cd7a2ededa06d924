/** One run of one test of the labs: a clock of its own, the labs' limit, and the failure that says where it happened. */
import type { Clock, TraceSink } from '@lab/rpc'
import { ManualClock, type LabNetwork } from '@lab/rpc/testing'
import { LabFailure, labRules } from './lab-failure.ts'
import type { LabPart, LabResult, LabRunOptions, LabTest } from './lab-interface.ts'
import { stampedSink } from './lab-trace.ts'

/** No single test of the labs may take longer. */
const LIMIT_MS = 120_000

/** What a test plays in. */
export interface LabWorld {
  readonly network: LabNetwork
  /** Rejects as soon as a rule is broken anywhere; never resolves. */
  readonly broken: Promise<never>
  /** Ends all that runs. */
  stop(): void
}

/** What one run has for itself. */
export interface LabRun {
  readonly seed: number
  readonly clock: Clock
  readonly trace: TraceSink | undefined
}

export interface LabTestOptions<W extends LabWorld> {
  /** The labs' name, without `Test` and part. */
  readonly name: string
  readonly part: LabPart
  readonly peers: number
  readonly unit: LabResult['unit']
  readonly make: (run: LabRun) => W
  readonly play: (world: W) => Promise<void>
  readonly done: (world: W) => number
}

/** A test that plays in a world of its own each time, in virtual time. */
export function labTest<W extends LabWorld>(options: LabTestOptions<W>): LabTest {
  const { name, part, peers } = options
  const title = `${name} (${part})`
  return { title, part, peers, run: (seed, { trace } = {}) => runLab(title, options, seed, trace) }
}

async function runLab<W extends LabWorld>(
  title: string,
  { peers, unit, make, play, done }: LabTestOptions<W>,
  seed: number,
  trace: LabRunOptions['trace'],
): Promise<LabResult> {
  const clock = new ManualClock()
  const sink = trace === undefined ? undefined : stampedSink(clock, trace)
  const world = make({ seed, clock, trace: sink })
  const limit = new Promise<never>((_, reject) => {
    clock.setTimer(LIMIT_MS, () => {
      reject(new LabFailure('inTime', labRules.inTime, 'the test was not over after 120 s'))
    })
  })
  try {
    await clock.settle(Promise.race([play(world), world.broken, limit]))
    const { totalCount: rpcs, totalBytes: bytes } = world.network
    return { title, seed, seconds: clock.now() / 1000, peers, rpcs, bytes, done: done(world), unit }
  } catch (thrown) {
    if (!(thrown instanceof LabFailure)) throw thrown
    sink?.({ n: '', k: 'invariant', rule: thrown.code, why: thrown.message.replaceAll('\n ', ';') })
    throw thrown.in(title, seed, clock.now())
  } finally {
    world.stop()
  }
}
