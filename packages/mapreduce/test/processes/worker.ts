/** Worker processes, also with a file system of their own: a small one that is soon full, or one that shows nothing of ours. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { HostedJob } from '@lab/mapreduce'

const HOOKS = new URL('../../../../scripts/register-source.mjs', import.meta.url).href
const PROGRAM = fileURLToPath(new URL('../../src/node/worker-main.ts', import.meta.url))
const IN_OWN_FILES = 'mount -t tmpfs -o "size=$1" none "$2" && shift 2 && exec "$@"'

/** Can a process have mounts of its own here, without being root? In some containers it cannot. */
export function hasOwnMounts(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'sh', '-c', IN_OWN_FILES, 'sh', '4k', '/tmp', 'true'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}

export interface WorkerSetting {
  /** For map outputs. */
  readonly folder: string
  /** An empty file system of the worker's own at this folder, of this size, such as `1m`. */
  readonly own?: { readonly at: string; readonly size: string }
  /** Sends map outputs to others also where they could open them. */
  readonly streams?: boolean
}

export function startWorker(
  { address, secret }: HostedJob,
  { folder, own, streams = false }: WorkerSetting,
): ChildProcess & { readonly gone: Promise<unknown> } {
  const execArgv = ['--import', HOOKS]
  const command = [process.execPath, ...execArgv, PROGRAM]
  const inside =
    own === undefined
      ? command
      : ['unshare', '-rm', 'sh', '-c', IN_OWN_FILES, 'sh', own.size, own.at, ...command]
  const given = { join: address, secret, folder, streams, patienceMs: 5_000 }
  const child = spawn(inside[0] ?? '', inside.slice(1), { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(JSON.stringify(given))
  return Object.assign(child, { gone: once(child, 'exit') })
}
