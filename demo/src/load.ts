/** The load: many writers, each with one page at a time, until the texts are in and the acts are over. */
import { toError } from '@lab/rpc'
import type { CallOptions } from '@lab/kvraft/clerk'
import type { Meter } from './meter.ts'
import type { Pace } from './pace.ts'
import type { Page } from './plan.ts'

/** What the load needs of a clerk. */
export interface Writer {
  put(key: string, value: Uint8Array, options?: CallOptions): Promise<unknown>
  append(key: string, value: Uint8Array, options?: CallOptions): Promise<unknown>
}

export interface LoadOptions {
  readonly writer: Writer
  readonly meter: Meter
  readonly pace: Pace
  /** Pages under way at a time. */
  readonly concurrency: number
  /** While it says so, the texts are loaded once more under other keys. */
  readonly again: () => boolean
  readonly signal: AbortSignal
}

/** An operation that did not succeed, although it was tried for long. */
export interface Failure {
  readonly key: string
  readonly reason: string
}

export interface Loaded {
  /** Every page of which all operations were acknowledged. */
  readonly pages: readonly Page[]
  readonly failures: readonly Failure[]
}

/** Far longer than any act: an operation that takes so long has failed. */
const OPERATION_MS = 30_000

export async function load(pages: readonly Page[], options: LoadOptions): Promise<Loaded> {
  const loaded: Page[] = []
  const failures: Failure[] = []
  const queue = endless(pages, options.again)
  const work = async (): Promise<void> => {
    for (const page of queue) {
      try {
        await writePage(page, options)
        loaded.push(page)
      } catch (thrown) {
        options.signal.throwIfAborted()
        options.meter.fail()
        failures.push({ key: page.key, reason: toError(thrown).message })
      }
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, work))
  return { pages: loaded, failures }
}

/** One after the other: awaiting is what orders appends to a key. */
async function writePage({ key, pieces }: Page, { writer, meter, pace, signal }: LoadOptions): Promise<void> {
  for (const [at, piece] of pieces.entries()) {
    await pace.turn(signal)
    const sent = performance.now()
    const options = { timeout: OPERATION_MS, signal }
    await (at === 0 ? writer.put(key, piece, options) : writer.append(key, piece, options))
    meter.acknowledge(sent)
  }
}

function* endless(pages: readonly Page[], again: () => boolean): Generator<Page, void, undefined> {
  yield* pages
  for (let copy = 2; ; copy++) {
    for (const { key, pieces } of pages) {
      if (!again()) return
      yield { key: `copy-${copy}/${key}`, pieces }
    }
  }
}
