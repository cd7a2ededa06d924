/** A student's Raft, or key/value service: a module of theirs, TypeScript or not. */
import { existsSync } from 'node:fs'
import { register } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { kvLab, labClerk, labStore, type LabMakeClerk, type LabMakeKvServer } from '@lab/kvraft/testing'
import { raftLab, type LabMake, type LabTest } from '@lab/raft/testing'
import { CliError } from './errors.ts'
import { usage } from './parse.ts'

const { typescript } = process.features as { readonly typescript?: unknown }
const NODE_STRIPS_TYPES = typescript === 'strip' || typescript === 'transform'
/** The checkout's own hooks, which strip every module that is loaded. */
const IN_CHECKOUT = existsSync(new URL('../../../scripts/source-hooks.mjs', import.meta.url))

/** What a module of a student's is held to. */
export interface StudentLabs {
  /** The tests of one part, or of all that the module has something for. */
  tests(part: string | undefined): LabTest[]
}

/** @throws {CliError} `USAGE` when there is no such module, `FAILED` when it cannot be loaded or exports nothing to test */
export async function loadLabs(path: string, cwd: string): Promise<StudentLabs> {
  const module = await load(path, cwd)
  const make = (module['make'] ?? module['default']) as LabMake | undefined
  const makeServer = module['makeServer'] as LabMakeKvServer | undefined
  const makeClerk = module['makeClerk'] as LabMakeClerk | undefined
  const raft = typeof make === 'function' ? raftLab({ make }) : []
  const kv =
    typeof makeServer === 'function' && typeof makeClerk === 'function'
      ? kvLab({ makeServer, makeClerk })
      : []
  if (raft.length === 0 && kv.length === 0) throw new CliError('FAILED', `${path} exports ${WANTED}`)
  return {
    tests(part) {
      if (part === undefined) return [...raft, ...kv]
      // A Raft without a service of its own: ours stands on it.
      const onRaft = typeof make === 'function' && kv.length === 0 ? kvOn(make) : kv
      return [...raft, ...onRaft].filter((one) => one.part === part)
    },
  }
}

const WANTED =
  'no function make(peers, me, persister, apply, env), a Raft: see examples/08-write-your-own-raft; ' +
  'nor makeServer(peers, me, persister, maxRaftState, env) and makeClerk(servers, env), a key/value service'

function kvOn(make: LabMake): LabTest[] {
  return kvLab({ makeServer: labStore(make), makeClerk: labClerk })
}

async function load(path: string, cwd: string): Promise<Readonly<Record<string, unknown>>> {
  const file = resolve(cwd, path)
  if (!existsSync(file)) throw usage(`there is no file ${path}`)
  if (!NODE_STRIPS_TYPES && !IN_CHECKOUT && /\.m?ts$/.test(file))
    register(new URL('../bin/type-hooks.mjs', import.meta.url))
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
  } catch (thrown) {
    throw new CliError('FAILED', `${path} cannot be loaded: ${String(thrown)}`, { cause: thrown })
  }
}
