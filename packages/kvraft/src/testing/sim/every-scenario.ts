/** The scenario `kv-all`: every operation there is, while leadership moves, members lose and get their votes, and all else fails. */
import { RaftNode } from '@lab/raft'
import { isFinal, leaderOf, nodeOptions, RaftWatcher } from '@lab/raft/testing/sim'
import type { TraceEvent } from '@lab/rpc'
import { ByteReader } from '@lab/rpc'
import { FAULT_NAMES, type Scenario, type Watched } from '@lab/sim'
import { storeCodecs } from '../../codecs.ts'
import { decodeEvents } from '../../events.ts'
import { KvServer } from '../../server.ts'
import { KvStore } from '../../store.ts'
import { valueText } from '../../text.ts'
import { EveryClient } from './every-client.ts'
import { drawEvery, type EveryOp, type EveryResult, type TextEntry } from './every-op.ts'
import { judgeEvery } from './judge-every.ts'
import type { Change } from './timeline.ts'

interface EveryServer {
  readonly node: RaftNode<KvStore>
  readonly store: KvStore
}

/** Gets, puts, appends, deletes, cas, scans, transactions, watches and keys that expire; operators move leadership and votes. */
export function kvEveryScenario(): Scenario<EveryServer, EveryClient, EveryOp, EveryResult> {
  const found = new WeakMap<EveryOp, TextEntry | null>()
  return {
    name: 'kv-all',
    draw: drawEvery,
    // Two voters may be all there are: a disk that rots for good would leave no majority.
    faults: FAULT_NAMES.filter((name) => name !== 'bit-flip'),
    async start(host, cluster) {
      const store = new KvStore()
      const node = await RaftNode.start<KvStore>({
        ...nodeOptions(host, cluster),
        ...storeCodecs,
        stateMachine: store,
      })
      KvServer.serve(node, store, host.clock)
      node.on('fatal', ({ error }) => host.exit(error.message, { forGood: isFinal(error) }))
      return { node, store }
    },
    connect: (host, { addresses }) => EveryClient.connect(host, addresses, found),
    perform: (client, op) => client.perform(op),
    leader: (servers) => leaderOf([...servers.values()].map(({ node }) => node.status())),
    isFinal,
    watch: (run) => new EveryWatcher(run, found),
  }
}

class EveryWatcher extends RaftWatcher<EveryServer, EveryOp, EveryResult> {
  readonly #clocks: { lie: boolean }

  constructor(run: Watched<EveryServer>, found: WeakMap<EveryOp, TextEntry | null>) {
    const clocks = { lie: false }
    super({
      ...run,
      statusOf: ({ node }) => node.status(),
      digestOf: ({ store }) => digestOf(store),
      judge: ({ store }, operations) => {
        judgeEvery({ changes: changesOf(store), operations, found, clocksLie: clocks.lie })
      },
    })
    this.#clocks = clocks
  }

  override event(event: TraceEvent): void {
    if (event.k === 'fault' && String(event['what']).startsWith('clock')) this.#clocks.lie = true
    super.event(event)
  }
}

/** All that a store remembers. */
function changesOf(store: KvStore): Change[] {
  const changes: Change[] = []
  store.changes(store.firstRevision, (bytes, start, end) => {
    for (const { key, value, ...event } of decodeEvents(new ByteReader(bytes.slice(start, end))))
      changes.push({ ...event, key: valueText(key), value: valueText(value) })
    return true
  })
  return changes
}

function digestOf(store: KvStore): string {
  const all = {
    op: 'scan' as const,
    from: new Uint8Array(0),
    to: new Uint8Array(0),
    limit: 4096,
    keysOnly: false,
  }
  const { entries } = store.scan(all)
  const lines = entries.map(
    ({ key, value, version, changed, expires }) =>
      `${valueText(key)}=${valueText(value)} ${String(version)} ${String(changed)} ${String(expires)}`,
  )
  return [String(store.revision), ...lines, JSON.stringify(changesOf(store))].join('\n')
}
