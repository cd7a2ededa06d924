/** Snapshots of a large state by a real node, to a real disk: how long its event loop is held at once. */
import { mkdtempSync, rmSync, statSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandCodec, KvStore, storeCodecs } from '@lab/kvraft'
import { RaftNode } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { memory, MemoryNetwork } from '@lab/rpc/memory'
import type { Benchmark, Row } from './benchmark.ts'
import { fill } from './kv/phases.ts'
import { LongTurns } from './kv/long-turns.ts'

const KEYS = 1_000_000
const VALUE_BYTES = 256
const ONE = new Uint8Array([1])

export const benchmark: Benchmark = {
  title: `Snapshots of ${String(KEYS)} keys × ${String(VALUE_BYTES)} B by a node, on disk: turns of its event loop, in slices of 5 ms`,
  byName: 'some 20 s',
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'lab-bench-snapshots-'))
    try {
      const store = new KvStore()
      await fill(store, KEYS, VALUE_BYTES)
      const rows: Row[] = []
      const node = await start(folder, store)
      await node.ready()
      await node.propose(commandCodec.encode({ op: 'put', key: ONE, value: ONE }))
      rows.push(await measured('nothing to do', () => sleep(1000)))
      rows.push(await measured('makes one', () => node.snapshot()))
      await node.close()
      const restored = new KvStore()
      let again: RaftNode<KvStore> | null = null
      rows.push(await measured('starts from it', async () => (again = await start(folder, restored))))
      await (again as RaftNode<KvStore> | null)?.close()
      if (restored.size !== store.size) throw new Error(`restored ${String(restored.size)} keys`)
      const [snapshot = ''] = readdirSync(folder).filter((name) => name.includes('snapshot'))
      return rows.map((row) => ({ ...row, MB: statSync(join(folder, snapshot)).size / 1e6 }))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function start(folder: string, stateMachine: KvStore): Promise<RaftNode<KvStore>> {
  return RaftNode.start({
    ...{ id: 'n1', members: { n1: 'memory://n1' }, transport: memory(new MemoryNetwork()) },
    ...{ storage: fileStorage(folder), stateMachine, ...storeCodecs },
  })
}

async function measured(phase: string, work: () => Promise<unknown>): Promise<Row> {
  const turns = new LongTurns()
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  return { phase, seconds, ...turns.end() }
}
