/** A machine of the sharded store. On sockets it is a process: this file. */
import { join } from 'node:path'
import { startMachine } from '../shared/shard-machine.ts'

export interface Plan {
  /** Id → address, of all machines. */
  readonly members: Readonly<Record<string, string>>
  /** Of their data. */
  readonly folder: string
  /** The groups that are there from the beginning, on all machines. */
  readonly groups: readonly number[]
  readonly shards: number
}

export interface Machine {
  /** From here on it has a replica of that group. */
  startGroup(gid: number): Promise<unknown>
  /** At once and without a farewell, where it is a process. */
  kill(): Promise<void>
}

export async function startPlanned(id: string, { members, folder, ...store }: Plan): Promise<Machine> {
  const machine = await startMachine(id, members, { folder: join(folder, id), ...store })
  return { startGroup: (gid) => machine.startGroup(gid), kill: () => machine.close() }
}

// As a process: the parent sends what to start with, then the groups that come later.
const [role, id = '', plan = '{}'] = process.argv.slice(2)
if (role === 'machine') {
  const machine = await startPlanned(id, JSON.parse(plan) as Plan)
  process.on('message', (gid: number) => void machine.startGroup(gid).then(() => process.send?.('started')))
  process.on('disconnect', () => process.exit()) // the parent is gone
  process.send?.('started')
}
