/** What catches a mistake: the layers of tests are asked in turn, until one does. */
import { createHash } from 'node:crypto'
import { mutationLists, type Mutation } from './list.ts'
import { layers, tryMutation, type Verdict } from './run.ts'

/** One mistake, with the list that it stands in. */
export interface Suspect extends Mutation {
  readonly list: string
  /** `path#number`, as the plugin takes it. */
  readonly id: string
  /** The same for as long as the mistake is: of its file, what it finds and what it puts there. */
  readonly key: string
}

export interface Judged extends Pick<Suspect, 'key' | 'list' | 'expectation' | 'file'> {
  /** In the order in which they were asked; only the last may have caught it. */
  readonly verdicts: readonly Verdict[]
}

export function suspects(): Suspect[] {
  return mutationLists().flatMap(({ path, name, mutations }) =>
    mutations.map((mutation, number) => ({
      ...mutation,
      list: name,
      id: `${path}#${String(number)}`,
      key: keyOf(mutation),
    })),
  )
}

function keyOf({ file, find, replace }: Mutation): string {
  return createHash('sha256')
    .update(JSON.stringify([file, find, replace]))
    .digest('hex')
    .slice(0, 12)
}

export async function judge({ key, list, expectation, file, id }: Suspect): Promise<Judged> {
  const verdicts: Verdict[] = []
  for (const layer of layers[list] ?? []) {
    const verdict = await tryMutation(id, layer)
    verdicts.push(verdict)
    if (verdict.caught) break
  }
  return { key, list, expectation, file, verdicts }
}

export function caughtBy({ verdicts }: Judged): Verdict | undefined {
  return verdicts.find(({ caught }) => caught)
}
