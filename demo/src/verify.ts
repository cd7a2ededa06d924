/** Reads everything back and has it judged. */
import type { CallOptions } from '@lab/kvraft/clerk'
import { comparePage, type Difference } from './compare.ts'
import type { Failure } from './load.ts'
import type { Page } from './plan.ts'

/** What reading back needs of a clerk. */
export interface Reader {
  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined>
}

export interface Verdict {
  readonly pages: number
  readonly bytes: number
  readonly lost: number
  readonly duplicated: number
  readonly differences: readonly Difference[]
  readonly failures: readonly Failure[]
}

const CONCURRENCY = 64
const READ_MS = 90_000

/** Linearizable reads: what one server has forgotten shows, whoever leads. */
export async function verify(
  pages: readonly Page[],
  failures: readonly Failure[],
  { reader, signal }: { readonly reader: Reader; readonly signal: AbortSignal },
): Promise<Verdict> {
  const differences: Difference[] = []
  let bytes = 0
  const queue = pages.values()
  const work = async (): Promise<void> => {
    for (const page of queue) {
      const found = await reader.get(page.key, { timeout: READ_MS, signal })
      const difference = comparePage(page, found)
      if (difference !== null) differences.push(difference)
      bytes += found?.length ?? 0
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  const sum = (of: (difference: Difference) => number): number =>
    differences.reduce((total, one) => total + of(one), 0)
  return {
    pages: pages.length,
    bytes,
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    differences,
    failures,
  }
}

/** Nothing failed, nothing lost, nothing twice, every byte as it was written. */
export function isClean({ differences, failures }: Verdict): boolean {
  return differences.length === 0 && failures.length === 0
}
