/** That every mistake still fits the source; `npm run test:long` shows that the tests catch each of them. */
import { expect, test } from 'vitest'
import { mutated, mutationLists } from './mutations/list.ts'

const lists = mutationLists()

test('there are at least forty seeded mistakes', () => {
  expect(lists.flatMap(({ mutations }) => mutations).length).toBeGreaterThanOrEqual(40)
})

test.each(lists)('every mistake in $path stands in the source once, and changes it', ({ mutations }) => {
  for (const mutation of mutations) {
    expect(mutation.expectation).not.toBe('')
    expect(mutation.replace).not.toBe(mutation.find)
    expect(() => mutated(mutation)).not.toThrow()
  }
  const edits = mutations.map(({ file, find, replace }) => `${file}\n${find}\n${replace}`)
  expect(new Set(edits).size).toBe(edits.length)
})
