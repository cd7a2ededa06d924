/** The store in the simulator of `@lab/sim`: real servers and clerks, and histories that must be linearizable. */
import { clientOptions, isFinal, leaderOf, nodeOptions, RaftWatcher } from '@lab/raft/testing/sim'
import type { Milliseconds, Random } from '@lab/rpc'
import { kvModel, type KvOp, type KvResult, type Scenario } from '@lab/sim'
import { Clerk } from '../../clerk.ts'
import { KvServer } from '../../server.ts'

/** How long a clerk tries. */
const CALL_TIMEOUT_MS = 1000

/** Keys that all clients share; few, so that they meet. */
const KEYS = 6

/** Gets, puts, appends and deletes of clients that share a few keys. Every value written is another one. */
export function kvScenario(): Scenario<KvServer, Clerk, KvOp, KvResult> {
  return {
    name: 'kv',
    model: kvModel,
    draw,
    async start(host, cluster) {
      const server = await KvServer.start(nodeOptions(host, cluster))
      server.node.on('fatal', ({ error }) => host.exit(error.message, { forGood: isFinal(error) }))
      return server
    },
    connect: (host, { addresses }) => Clerk.connect(clientOptions(host, addresses)),
    perform: (clerk, op) => performKv(clerk, op, CALL_TIMEOUT_MS),
    leader: (servers) => leaderOf([...servers.values()].map(({ node }) => node.status())),
    isFinal,
    watch: (run) =>
      new RaftWatcher<KvServer, KvOp, KvResult>({ ...run, statusOf: ({ node }) => node.status() }),
  }
}

function draw(random: Random, { client, count }: { readonly client: string; readonly count: number }): KvOp {
  const key = `k${String(random.integer(1, KEYS))}`
  const value = `${client}.${String(count)};`
  const dice = random.next()
  if (dice < 0.4) return { op: 'get', key }
  if (dice < 0.65) return { op: 'put', key, value }
  if (dice < 0.95) return { op: 'append', key, value }
  return { op: 'delete', key }
}

/** @param timeout how long the clerk tries @throws what it throws */
export async function performKv(
  clerk: Pick<Clerk, 'getText' | 'put' | 'append' | 'delete'>,
  op: KvOp,
  timeout: Milliseconds,
): Promise<KvResult> {
  const options = { timeout }
  switch (op.op) {
    case 'get':
      return (await clerk.getText(op.key, options)) ?? null
    case 'put':
      await clerk.put(op.key, op.value, options)
      return null
    case 'append':
      await clerk.append(op.key, op.value, options)
      return null
    case 'delete':
      await clerk.delete(op.key, options)
      return null
    case 'cas':
      throw new Error('no scenario draws cas alone')
  }
}
