/** Classic mistakes, as edits of our source: tests that pass with one of them in place test nothing. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

export interface Mutation {
  /** In one line, what is wrong. */
  readonly expectation: string
  /** From the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** Files of tests that most likely catch it, from the root of the repository: asked before all others, for they take seconds. */
  readonly tests?: readonly string[]
}

/** All mutations of one `test/mutations/*.json`. */
export interface MutationList {
  readonly path: string
  readonly name: string
  readonly mutations: readonly Mutation[]
}

export function mutationLists(): MutationList[] {
  return readdirSync(join(root, 'packages')).flatMap((name) => {
    const folder = `packages/${name}/test/mutations`
    if (!existsSync(join(root, folder))) return []
    return readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => listAt(`${folder}/${file}`))
  })
}

function listAt(path: string): MutationList {
  const mutations = JSON.parse(readFileSync(join(root, path), 'utf8')) as Mutation[]
  return { path, name: basename(path, '.json'), mutations }
}

/** The source with the mistake in it. @throws when `find` does not stand there exactly once */
export function mutated({ file, find, replace }: Mutation): string {
  const source = readFileSync(join(root, file), 'utf8')
  const parts = source.split(find)
  if (parts.length !== 2)
    throw new Error(`${file} holds ${String(parts.length - 1)} times, and not once: ${find}`)
  return parts.join(replace)
}
