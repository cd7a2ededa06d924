/** Puts one mistake into the sources that the tests load: `LAB_MUTATION=packages/raft/test/mutations/core.json#3`. */
import { join } from 'node:path'
import type { Plugin } from 'vite'
import { mutated, mutationLists } from './list.ts'

/** @throws when there is no such mutation, or it matches no more: a run without the mistake would prove nothing */
export function mutationPlugin(name: string): Plugin {
  const [path, number] = name.split('#')
  const mutation = mutationLists().find((list) => list.path === path)?.mutations[Number(number)]
  if (mutation === undefined) throw new Error(`there is no mutation ${name}`)
  const source = mutated(mutation)
  const file = join(import.meta.dirname, '..', '..', mutation.file)
  return {
    name: 'lab-mutation',
    enforce: 'pre',
    transform: (_, id) => (id.split('?')[0] === file ? { code: source, map: null } : null),
  }
}
