/** Runs tests with a mistake in the source, and tells what they made of it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
/** A mistake may well make a test wait for ever. */
const TIMEOUT_MS = 300_000

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
const simulator: Layer = { name: 'simulator', paths: ['packages/raft/test/sim/'] }
const shardMachines: Layer = {
  name: 'shard machines',
  paths: ['packages/shardkv/test/machine.test.ts', 'packages/shardkv/test/puller.test.ts'],
}
const shards: Layer = { name: 'shards', paths: ['packages/shardkv/test/'] }
const store: Layer = {
  name: 'store',
  paths: ['packages/kvraft/test/memory/', 'packages/kvraft/test/store', 'packages/kvraft/test/operations'],
}
const kv: Layer = { name: 'kv', paths: ['packages/kvraft/test/'] }
const sessions: Layer = {
  name: 'sessions',
  paths: ['packages/raft/test/node/sessions.test.ts', 'packages/raft/test/node/resting-sessions.test.ts'],
}
const lists: Layer = {
  name: 'lists',
  paths: ['lists', 'pending-proposals', 'client', 'reads'].map(
    (name) => `packages/raft/test/node/${name}.test.ts`,
  ),
}
const controller: Layer = { name: 'controller', paths: ['packages/shardctrler/test/'] }

const schedule: Layer = { name: 'schedule', paths: ['packages/mapreduce/test/core/'] }
const jobs: Layer = { name: 'simulated jobs', paths: ['packages/mapreduce/test/sim/'] }
const workers: Layer = { name: 'worker threads', paths: ['packages/mapreduce/test/node/'] }
const security: Layer = {
  name: 'security',
  paths: ['packages/rpc/test/tls/trust', 'packages/rpc/test/rpc/handshake', 'packages/rpc/test/rpc/limits'],
}

const dataPlane: Layer = {
  name: 'data plane',
  paths: ['packages/mapreduce/test/data/', 'packages/mapreduce/test/kernels/'],
}

/** Which tests are asked about the mistakes of a list, by its name: those that need least time first. */
export const layers: Readonly<Record<string, readonly Layer[]>> = {
  core: [paper, cores, explorer, simulator],
  membership: [paper, cores, nodes, simulator],
  'reads-snapshots': [paper, cores, storage, nodes, simulator],
  host: [paper, hosts, nodes, storage],
  storage: [storage, simulator],
  kv: [store, kv],
  service: [sessions, store, kv],
  mapreduce: [schedule, jobs, workers],
  shards: [shardMachines, shards],
  security: [security],
  controller: [controller],
  lists: [lists, nodes],
  data: [dataPlane],
}

export interface Verdict {
  readonly layer: string
  readonly caught: boolean
  /** The seed at which it was, when the test counts seeds. */
  readonly seed: number | null
  /** The first test that failed, `file > title`; null also when it never ended, or did not load. */
  readonly test: string | null
}

/** @param mutation `path#number`, see plugin.ts */
export async function tryMutation(mutation: string, layer: Layer): Promise<Verdict> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status, stdout } = await run([vitest, 'run', '--bail', '1', ...layer.paths], mutation)
  const [, test = null] = /^✗ (\S+ > .*)$/m.exec(stdout) ?? []
  const [, seed] = /seed (\d+)/.exec(stdout) ?? []
  // A run that was ended, for it would have waited for ever, has no status.
  return { layer: layer.name, caught: status !== 0, seed: seed === undefined ? null : Number(seed), test }
}

/** In a process group of its own: a test that runs in circles is ended with whoever started it. */
function run(args: readonly string[], mutation: string): Promise<{ status: number | null; stdout: string }> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LAB_MUTATION: mutation, LAB_LONG: '', NO_COLOR: '1' },
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const end = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(end, TIMEOUT_MS)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (status) => {
      clearTimeout(timer)
      resolve({ status, stdout })
    })
  })
}
