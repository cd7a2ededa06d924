/** Runs tests with a mistake in the source, and tells what they made of it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
/** A mistake may well make a test wait for ever. */
const TIMEOUT_MS = 240_000

/** A kind of test that may catch it. */
export interface Layer {
  readonly name: string
  readonly paths: readonly string[]
}

const explorer: Layer = { name: 'explorer', paths: ['packages/raft/test/explorer/'] }
const cores: Layer = { name: 'simulated cores', paths: ['packages/raft/test/core/fuzz/'] }
const paper: Layer = {
  name: 'paper and transcripts',
  paths: [
    'packages/raft/test/core/paper/',
    'packages/raft/test/core/pure/',
    'packages/raft/test/core/transcripts/',
  ],
}
const storage: Layer = {
  name: 'storage',
  paths: ['packages/raft/test/storage/', 'packages/raft/test/record/'],
}
const nodes: Layer = { name: 'nodes', paths: ['packages/raft/test/node/'] }
const hosts: Layer = { name: 'hosts', paths: ['packages/raft/test/host/'] }
const kv: Layer = { name: 'kv', paths: ['packages/kvraft/test/'] }

/** Which tests are asked about the mistakes of a list, by its name. */
export const layers: Readonly<Record<string, readonly Layer[]>> = {
  core: [explorer, cores, paper],
  membership: [cores, paper, nodes],
  'reads-snapshots': [cores, paper, nodes, storage],
  host: [paper, hosts, storage],
  storage: [storage],
  kv: [kv],
}

export interface Verdict {
  readonly layer: string
  readonly caught: boolean
  /** The seed at which it was, when the test counts seeds. */
  readonly seed: number | null
}

/** @param mutation `path#number`, see plugin.ts */
export function tryMutation(mutation: string, layer: Layer): Verdict {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--bail', '1', ...layer.paths], {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { ...process.env, LAB_MUTATION: mutation, LAB_LONG: '', NO_COLOR: '1' },
  })
  const seed = /seed (\d+)/.exec(stdout)?.[1]
  // A run that was ended, for it would have waited for ever, has no status.
  return { layer: layer.name, caught: status !== 0, seed: seed === undefined ? null : Number(seed) }
}
