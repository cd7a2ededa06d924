// One machine of the store: replicas of the controller and of any number of groups, on one port, one log and one heartbeat.
import { RaftHost } from '@lab/raft'
import { fileHostStorage } from '@lab/raft/storage/file'
import { Controller, ControllerServer, controllerCodecs } from '@lab/shardctrler'
import { ShardHost } from '@lab/shardkv'
import { chooseTransport } from './transport.ts'

/** memory(), tcp() or webSocket(). */
export const transport = chooseTransport()

/** Id → address, of all machines. */
export type Members = Readonly<Record<string, string>>

/** The number that the controller has on each host; groups of shards have others. */
const CONTROLLER = 0

export interface Machine {
  /** From here on this machine has a replica of that group. */
  startGroup(gid: number): Promise<unknown>
  close(): Promise<void>
}

/** @param groups that are there from the beginning, on all machines @param shards how many, for good */
export async function startMachine(
  id: string,
  members: Members,
  { folder, groups, shards }: { folder: string; groups: readonly number[]; shards: number },
): Promise<Machine> {
  const addresses = Object.values(members)
  const storage = fileHostStorage(folder)
  const host = await RaftHost.start({ id, listen: members[id] ?? '', transport, storage })

  const stateMachine = new Controller()
  const node = await host.startGroup({ ...controllerCodecs, group: CONTROLLER, members, stateMachine })
  const served = Object.fromEntries(groups.map((gid) => [gid, addresses]))
  const controller = ControllerServer.serve(node, stateMachine, { shards, groups: served })

  const store = new ShardHost({ host, transport, controllers: addresses })
  for (const gid of groups) await store.startGroup({ gid, members })
  return {
    startGroup: (gid) => store.startGroup({ gid, members }),
    async close() {
      await store.close()
      await controller.close()
      await host.close()
    },
  }
}
