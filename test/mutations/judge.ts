/** What catches a mistake: the layers of tests are asked in turn, until one does. */
import { createHash } from 'node:crypto'
import { mutationLists, type Mutation } from './list.ts'
import { layers, tryMutation, type Layer, type Verdict } from './run.ts'

/** One mistake, with the list that it stands in. */
export interface Suspect extends Mutation {
  readonly list: string
  /** `path#number`, as the plugin takes it. */
  readonly id: string
  /** The same for as long as the mistake is: of its file, what it finds and what it puts there. */
  readonly key: string
}

export interface Judged extends Pick<Suspect, 'key' | 'list' | 'expectation' | 'file'> {
  /** In the order in which layers were asked; only the last may have caught it. */
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

/** Asks the tests that the mistake names, then all layers of its list, and stops at the first failure. */
export async function judge({ key, list, expectation, file, id, tests = [] }: Suspect): Promise<Judged> {
  const ofList = layers[list] ?? []
  const verdicts: Verdict[] = []
  for (const layer of [...tests.map((path) => likely(path, ofList)), ...ofList]) {
    const verdict = await tryMutation(id, layer)
    if (verdict.caught || ofList.includes(layer)) verdicts.push(verdict)
    if (verdict.caught) break
  }
  return { key, list, expectation, file, verdicts }
}

/** One file, under the name of the layer that it belongs to. */
function likely(path: string, ofList: readonly Layer[]): Layer {
  const layer = ofList.find(({ paths }) => paths.some((each) => path.startsWith(each)))
  return { name: layer?.name ?? path, paths: [path] }
}

export function caughtBy({ verdicts }: Judged): Verdict | undefined {
  return verdicts.find(({ caught }) => caught)
}
