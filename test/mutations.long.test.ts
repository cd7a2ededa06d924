/** That each seeded mistake is caught by some layer of tests. What caught what is written to `.lab/seeded-bugs.md`. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { mutationLists, type Mutation } from './mutations/list.ts'
import { layers, tryMutation, type Verdict } from './mutations/run.ts'

const folder = join(import.meta.dirname, '..', '.lab')
const table = join(folder, 'seeded-bugs.md')

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(table, '| list | mistake | file | caught by |\n| --- | --- | --- | --- |\n')
})

const all = mutationLists().flatMap(({ path, name, mutations }) =>
  mutations.map((mutation, number) => ({ ...mutation, list: name, id: `${path}#${String(number)}` })),
)

test.each(all)(
  'the tests catch: $expectation ($list)',
  { timeout: 1_200_000 },
  ({ list, id, ...mutation }) => {
    const verdicts = (layers[list] ?? []).map((layer) => tryMutation(id, layer))
    appendFileSync(table, row(list, mutation, verdicts))
    expect(verdicts.filter(({ caught }) => caught)).not.toEqual([])
  },
)

test('there are tests to ask for every list', () => {
  for (const { name } of mutationLists()) expect(Object.keys(layers)).toContain(name)
})

function row(list: string, { expectation, file }: Mutation, verdicts: readonly Verdict[]): string {
  const caught = verdicts
    .filter((verdict) => verdict.caught)
    .map(({ layer, seed }) => (seed === null ? layer : `${layer} (seed ${String(seed)})`))
  return `| ${list} | ${expectation} | ${file} | ${caught.join(', ')} |\n`
}
