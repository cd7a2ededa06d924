/** Three processes' worth of many groups, in one process, on TCP and files. */
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { RaftHost, stateMachine, type RaftNode } from '@lab/raft'
import { fileHostStorage } from '@lab/raft/storage/file'
import type { Disk } from '@lab/rpc'
import { systemDisk } from '@lab/rpc/disk'
import { tcp } from '@lab/rpc/tcp'

const IDS = ['n1', 'n2', 'n3']
const machine = () =>
  stateMachine({ initial: { bytes: 0 }, apply: (state, text: string) => (state.bytes += text.length) })
type Node = RaftNode<ReturnType<typeof machine>>

export class ThreeHosts {
  /** Durable writes of all three so far. */
  syncs = 0
  readonly #hosts: RaftHost[] = []
  /** By group, one node a process. */
  readonly #nodes: Node[][] = []

  static async start(folder: string, groups: number): Promise<ThreeHosts> {
    const three = new ThreeHosts()
    const ports = await Promise.all(IDS.map(() => freePort()))
    const members = Object.fromEntries(IDS.map((id, i) => [id, `127.0.0.1:${String(ports[i])}`]))
    for (const id of IDS)
      three.#hosts.push(
        await RaftHost.start({
          id,
          listen: members[id] ?? '',
          transport: tcp(),
          storage: fileHostStorage(join(folder, id), { disk: three.#counting() }),
        }),
      )
    for (let group = 0; group < groups; group++)
      three.#nodes.push(
        await Promise.all(
          three.#hosts.map((host) => host.startGroup({ group, members, stateMachine: machine() })),
        ),
      )
    await Promise.all(three.#nodes.map(async ([node]) => node?.ready({ timeout: 60_000 })))
    return three
  }

  /** Raft's own messages so far, those of single groups; the beats of processes are not among them. */
  get messages(): number {
    return this.#nodes.flat().reduce((sum, node) => sum + node.metrics().messagesSent, 0)
  }

  async propose(group: number, text: string): Promise<void> {
    const nodes = this.#nodes[group % this.#nodes.length] ?? []
    const leader = nodes.find((node) => node.status().role === 'leader') ?? nodes[0]
    await leader?.propose(text)
  }

  async close(): Promise<void> {
    for (const host of this.#hosts) await host.close()
  }

  /** The machine's disk, its durable writes counted. */
  #counting(): Disk {
    return {
      ...systemDisk,
      open: async (path, options) => {
        const file = await systemDisk.open(path, options)
        if (options?.durableWrites !== true) return file
        const write = file.write.bind(file)
        file.write = (bytes, position) => {
          this.syncs++
          return write(bytes, position)
        }
        return file
      },
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => {
        resolve(port)
      })
    })
  })
}
