/** That each seeded mistake is caught by some layer of tests. `npm run seeded-bugs` does the same, goes on where it was stopped, and writes a table. */
import { expect, test } from 'vitest'
import { judge, suspects } from './mutations/judge.ts'
import { mutationLists } from './mutations/list.ts'
import { layers } from './mutations/run.ts'

test.each(suspects())('the tests catch: $expectation ($list)', { timeout: 1_800_000 }, async (suspect) => {
  const { verdicts } = await judge(suspect)
  expect(verdicts.filter(({ caught }) => caught)).not.toEqual([])
})

test('there are tests to ask for every list', () => {
  for (const { name } of mutationLists()) expect(Object.keys(layers)).toContain(name)
})
