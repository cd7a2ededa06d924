/** One machine of the store: replicas of the controller and of groups of shards. On sockets it is a process: this file. */
import { join } from 'node:path'
import { RaftHost } from '@lab/raft'
import { fileHostStorage } from '@lab/raft/storage/file'
import { Controller, ControllerServer, controllerCodecs } from '@lab/shardctrler'
import { ShardHost } from '@lab/shardkv'
import { chooseTransport } from '../shared/transport.ts'

/** memory(), tcp() or webSocket(). */
export const transport = chooseTransport()

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

/** The number that the controller has on each host; groups of shards have others. */
const CONTROLLER = 0

export async function startMachine(id: string, { members, folder, groups, shards }: Plan): Promise<Machine> {
  const addresses = Object.values(members)
  const storage = fileHostStorage(join(folder, id))
  const host = await RaftHost.start({ id, listen: members[id] ?? '', transport, storage })

  const stateMachine = new Controller()
  const node = await host.startGroup({ ...controllerCodecs, group: CONTROLLER, members, stateMachine })
  const served = Object.fromEntries(groups.map((gid) => [gid, addresses]))
  const controller = ControllerServer.serve(node, stateMachine, { shards, groups: served })

  const store = new ShardHost({ host, transport, controllers: addresses })
  for (const gid of groups) await store.startGroup({ gid, members })
  return {
    startGroup: (gid) => store.startGroup({ gid, members }),
    async kill() {
      await store.close()
      await controller.close()
      await host.close()
    },
  }
}

// As a process: the parent sends what to start with, then the groups that come later.
const [role, id = '', plan = '{}'] = process.argv.slice(2)
if (role === 'machine') {
  const machine = await startMachine(id, JSON.parse(plan) as Plan)
  process.on('message', (gid: number) => void machine.startGroup(gid).then(() => process.send?.('started')))
  process.on('disconnect', () => process.exit()) // the parent is gone
  process.send?.('started')
}
