/** A student's Raft: a module of theirs, TypeScript or not. */
import { existsSync } from 'node:fs'
import { register } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LabMake } from '@lab/raft/testing'
import { CliError } from './errors.ts'
import { usage } from './parse.ts'

const { typescript } = process.features as { readonly typescript?: unknown }
const NODE_STRIPS_TYPES = typescript === 'strip' || typescript === 'transform'
/** The checkout's own hooks, which strip every module that is loaded. */
const IN_CHECKOUT = existsSync(new URL('../../../scripts/source-hooks.mjs', import.meta.url))

/** @throws {CliError} `USAGE` when there is no such module, `FAILED` when it cannot be loaded or gives no `make` */
export async function loadMake(path: string, cwd: string): Promise<LabMake> {
  const file = resolve(cwd, path)
  if (!existsSync(file)) throw usage(`there is no file ${path}`)
  if (!NODE_STRIPS_TYPES && !IN_CHECKOUT && /\.m?ts$/.test(file))
    register(new URL('../bin/type-hooks.mjs', import.meta.url))
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(file).href)) as typeof module
  } catch (thrown) {
    throw new CliError('FAILED', `${path} cannot be loaded: ${String(thrown)}`, { cause: thrown })
  }
  const make = module['make'] ?? module['default']
  if (typeof make !== 'function')
    throw new CliError(
      'FAILED',
      `${path} exports no function make(peers, me, persister, apply, env): see examples/08-write-your-own-raft`,
    )
  return make as LabMake
}
