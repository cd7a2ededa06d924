/** The load: many writers, each with one page at a time, until the texts are in; then again, until the acts are over. */
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
  /** While it says so, the texts are loaded once more under other keys, as far as that gets. */
  readonly again: () => boolean
  readonly signal: AbortSignal
}

/** An operation that did not succeed, although it was tried for long. */
export interface Failure {
  readonly key: string
  readonly reason: string
}

export interface Loaded {
  /** What was acknowledged: every page, the last of the copies perhaps not to its end. */
  readonly pages: readonly Page[]
  readonly failures: readonly Failure[]
}

/** Far longer than any act: an operation that takes so long has failed. */
const OPERATION_MS = 90_000

export async function load(pages: readonly Page[], options: LoadOptions): Promise<Loaded> {
  const loaded: Page[] = []
  const failures: Failure[] = []
  const all = async (queue: Iterable<Page>, goOn: () => boolean): Promise<void> => {
    // Shared: each writer takes the next page from the same iterator.
    const iterator = queue[Symbol.iterator]()
    const shared = { [Symbol.iterator]: () => ({ next: () => iterator.next() }) }
    const work = async (): Promise<void> => {
      for (const page of shared) {
        try {
          const pieces = await writePage(page, goOn, options)
          if (pieces.length > 0) loaded.push({ key: page.key, pieces })
        } catch (thrown) {
          options.signal.throwIfAborted()
          options.meter.fail()
          failures.push({ key: page.key, reason: toError(thrown).message })
        }
      }
    }
    await Promise.all(Array.from({ length: options.concurrency }, work))
  }
  await all(pages, () => true)
  await all(copies(pages, options.again), options.again)
  return { pages: loaded, failures }
}

/**
 * One piece after the other: awaiting is what orders appends to a key.
 *
 * @returns the pieces that were acknowledged: all, or those until `goOn` said no
 */
async function writePage(
  { key, pieces }: Page,
  goOn: () => boolean,
  { writer, meter, pace, signal }: LoadOptions,
): Promise<readonly Uint8Array[]> {
  for (const [at, piece] of pieces.entries()) {
    await pace.turn(signal)
    if (!goOn()) return pieces.slice(0, at)
    const sent = performance.now()
    const options = { timeout: OPERATION_MS, signal }
    await (at === 0 ? writer.put(key, piece, options) : writer.append(key, piece, options))
    meter.acknowledge(sent)
  }
  return pieces
}

/** The same texts under other keys, for as long as somebody wants more. */
function* copies(pages: readonly Page[], again: () => boolean): Generator<Page, void, undefined> {
  for (let copy = 2; ; copy++) {
    for (const { key, pieces } of pages) {
      if (!again()) return
      yield { key: `copy-${copy}/${key}`, pieces }
    }
  }
}
