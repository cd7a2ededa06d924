/** A student's Raft, key/value service, shard controller or sharded store: a module of theirs, TypeScript or not. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { kvLab, labClerk, labStore, type LabMakeClerk, type LabMakeKvServer } from '@lab/kvraft/testing'
import { raftLab, type LabMake, type LabTest } from '@lab/raft/testing'
import {
  controllerLab,
  labController,
  labControllerClerk,
  type LabMakeController,
  type LabMakeControllerClerk,
} from '@lab/shardctrler/testing'
import {
  labShardClerk,
  labShards,
  shardLab,
  type LabMakeShardClerk,
  type LabMakeShardServer,
} from '@lab/shardkv/testing'
import { CliError } from './errors.ts'
import { loadTypes } from './module-flags.ts'
import { usage } from './parse.ts'

/** What a module of a student's is held to. */
export interface StudentLabs {
  /** The tests of one part, or of all that the module has something for. */
  tests(part: string | undefined): LabTest[]
}

/** @throws {CliError} `USAGE` when there is no such module, `FAILED` when it cannot be loaded or exports nothing to test */
export async function loadLabs(path: string, cwd: string): Promise<StudentLabs> {
  const module = await load(path, cwd)
  const get = (name: string): unknown => (typeof module[name] === 'function' ? module[name] : undefined)
  const make = (get('make') ?? get('default')) as LabMake | undefined
  const makeController = get('makeController') as LabMakeController | undefined
  const makeControllerClerk = get('makeControllerClerk') as LabMakeControllerClerk | undefined
  const own = [
    ...(make === undefined ? [] : raftLab({ make })),
    ...kvOf(get('makeServer') as LabMakeKvServer | undefined, get('makeClerk') as LabMakeClerk | undefined),
    ...controllerOf(makeController, makeControllerClerk),
    // On their controller, or on ours.
    ...shardsOf(
      get('makeShardServer') as LabMakeShardServer | undefined,
      get('makeShardClerk') as LabMakeShardClerk | undefined,
      { makeController, makeControllerClerk },
    ),
  ]
  if (own.length === 0) throw new CliError('FAILED', `${path} exports ${WANTED}`)
  return {
    tests(part) {
      if (part === undefined) return own
      const found = own.filter((one) => one.part === part)
      // A Raft without a service of its own: ours stands on it.
      return found.length > 0 || make === undefined
        ? found
        : servicesOn(make).filter((one) => one.part === part)
    },
  }
}

const WANTED = `nothing to grade. One of these is wanted:
  a Raft:               make(peers, me, persister, apply, env), as in examples/08-write-your-own-raft
  a key/value service:  makeServer(peers, me, persister, maxRaftState, env) and makeClerk(servers, env)
  a shard controller:   makeController(peers, me, persister, env) and makeControllerClerk(servers, env)
  a sharded store:      makeShardServer(place, env) and makeShardClerk(place, env)`

function kvOf(makeServer: LabMakeKvServer | undefined, makeClerk: LabMakeClerk | undefined): LabTest[] {
  return makeServer === undefined || makeClerk === undefined ? [] : kvLab({ makeServer, makeClerk })
}

function controllerOf(
  makeServer: LabMakeController | undefined,
  makeClerk: LabMakeControllerClerk | undefined,
): LabTest[] {
  return makeServer === undefined || makeClerk === undefined ? [] : controllerLab({ makeServer, makeClerk })
}

function shardsOf(
  makeServer: LabMakeShardServer | undefined,
  makeClerk: LabMakeShardClerk | undefined,
  own: {
    readonly makeController: LabMakeController | undefined
    readonly makeControllerClerk: LabMakeControllerClerk | undefined
  },
): LabTest[] {
  const { makeController = labController(), makeControllerClerk = labControllerClerk } = own
  return makeServer === undefined || makeClerk === undefined
    ? []
    : shardLab({ makeController, makeControllerClerk, makeServer, makeClerk })
}

function servicesOn(make: LabMake): LabTest[] {
  const makeController = labController(make)
  return [
    ...kvOf(labStore(make), labClerk),
    ...controllerOf(makeController, labControllerClerk),
    ...shardsOf(labShards(make), labShardClerk, { makeController, makeControllerClerk: labControllerClerk }),
  ]
}

async function load(path: string, cwd: string): Promise<Readonly<Record<string, unknown>>> {
  const file = resolve(cwd, path)
  if (!existsSync(file)) throw usage(`there is no file ${path}`)
  if (/\.m?ts$/.test(file)) loadTypes()
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
  } catch (thrown) {
    // Node looks beside the file, not beside this program.
    const hint = String(thrown).includes("Cannot find package '@lab/")
      ? `; install it in the folder of ${path}`
      : ''
    throw new CliError('FAILED', `${path} cannot be loaded: ${String(thrown)}${hint}`, { cause: thrown })
  }
}
