import { RaftCluster } from '@lab/raft/testing'
import { seededRandom } from '@lab/rpc'
import { memory } from '@lab/rpc/memory'
import { Clerk, Controller, ControllerServer, controllerCodecs, type Creation } from '@lab/shardctrler'

export interface ControllerCluster {
  readonly t: RaftCluster<Controller>
  readonly clerk: (name: string) => Promise<Clerk>
  /** As `t.restart`, with what a controller's server has besides. */
  readonly restart: (id: string) => Promise<void>
}

/** Real servers and clerks in virtual time. */
export async function controllerCluster({
  seed = 1,
  snapshotEveryBytes = Infinity,
  creation = {},
}: {
  readonly seed?: number
  readonly snapshotEveryBytes?: number
  readonly creation?: Creation | ((id: string) => Creation)
} = {}): Promise<ControllerCluster> {
  const t = await RaftCluster.start<Controller>({
    seed,
    stateMachine: () => new Controller(),
    options: { ...controllerCodecs, snapshotEveryBytes },
  })
  const serve = async (id: string): Promise<void> => {
    const controller = await t.settle(t.node(id).read((machine) => machine, { consistency: 'stale' }))
    ControllerServer.serve(t.node(id), controller, typeof creation === 'function' ? creation(id) : creation)
  }
  for (const id of t.ids) await serve(id)
  let clerks = 0
  return {
    t,
    restart: async (id) => {
      await t.restart(id)
      await serve(id)
    },
    clerk: (name) => {
      const servers = t.ids.map((id) => `memory://${id}`)
      const random = seededRandom(seed * 1000 + ++clerks)
      return t.settle(
        Clerk.connect({ servers, transport: memory(t.network, { name }), clock: t.clock, random }),
      )
    },
  }
}
