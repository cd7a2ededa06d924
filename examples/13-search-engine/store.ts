/** How the index lies in the store: a key for each word, and words that begin alike in one shard. */
import type { Clerk } from '@lab/shardkv'

/** `{wh}ale`: the shard follows from what stands in braces. */
export const keyOf = (word: string): string => `{${tagOf(word)}}${word.slice(2)}`
const tagOf = (word: string): string => word.slice(0, 2)

const WORDS_MAX = 128
const WRITERS = 16

/** One transaction writes many keys of one shard. @param index in the order of words, as MapReduce gives it */
export async function load(clerk: Clerk, index: ReadonlyMap<string, string>): Promise<void> {
  const batches: string[][] = []
  for (const word of index.keys()) {
    const last = batches.at(-1)
    const isAlike = tagOf(last?.[0] ?? '') === tagOf(word)
    if (last !== undefined && isAlike && last.length < WORDS_MAX) last.push(word)
    else batches.push([word])
  }
  const waiting = batches.values() // all writers take from it
  const write = async (): Promise<void> => {
    for (const words of waiting) {
      const puts = words.map(
        (word) => ({ op: 'put', key: keyOf(word), value: index.get(word) ?? '' }) as const,
      )
      await clerk.txn({ then: puts })
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
}
