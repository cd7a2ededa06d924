/** From a question to chapters: one read of the store for each word. */
import type { Clerk } from '@lab/shardkv'
import { keyOf } from './store.ts'

/** The chapters that hold every word of it; those that hold them most often come first. */
export async function search(clerk: Clerk, question: string): Promise<string[]> {
  const words = [...new Set(question.toLowerCase().match(/[a-z]+/g))]
  const entries = await Promise.all(words.map((word) => clerk.getText(keyOf(word))))
  const found = new Map<string, number[]>() // how often each word stands in a chapter
  for (const entry of entries)
    for (const hit of entry?.split(' ') ?? []) {
      const [chapter = '', count] = hit.split(':')
      found.set(chapter, [...(found.get(chapter) ?? []), Number(count)])
    }
  return [...found]
    .filter(([, counts]) => counts.length === words.length)
    .sort(([a, counts], [b, others]) => sum(others) - sum(counts) || Number(a) - Number(b))
    .map(([chapter]) => chapter)
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count)
