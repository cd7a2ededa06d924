// Three servers to start and to kill: processes on sockets, and in memory, where there is only one process, objects.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { memoryStorage } from '@lab/raft/storage/memory'
import { transportName } from '../shared/transport.ts'
import { startServer } from './counter.ts'

export interface Fleet {
  start(id: string): Promise<void>
  /** At once and without a farewell. What a server has acknowledged is on its disk. */
  kill(id: string): Promise<void>
}

/** Each server is a process of its own, with its log in `folder`. */
export function processes(members: Readonly<Record<string, string>>, folder: string): Fleet {
  const running = new Map<string, ReturnType<typeof fork>>()
  return {
    async start(id) {
      const args = ['--transport', transportName, '--id', id, '--folder', join(folder, id)]
      const child = fork(join(import.meta.dirname, 'main.ts'), [
        ...args,
        '--members',
        JSON.stringify(members),
      ])
      running.set(id, child)
      await once(child, 'message')
    },
    async kill(id) {
      const child = running.get(id)
      if (child === undefined || !running.delete(id)) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** Each server is an object here; its storage outlives it. */
export function objects(members: Readonly<Record<string, string>>): Fleet {
  const disks = new Map(Object.keys(members).map((id) => [id, memoryStorage()]))
  const running = new Map<string, { close(): Promise<void> }>()
  return {
    async start(id) {
      running.set(id, await startServer(id, members, disks.get(id) ?? memoryStorage()))
    },
    async kill(id) {
      await running.get(id)?.close()
      running.delete(id)
    },
  }
}
