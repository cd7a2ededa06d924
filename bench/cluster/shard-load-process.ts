/**
 * The program of a process that writes to shards that stay, at a steady pace: what it collects is only its own, and not what filling the
 * cluster left. Told `calm` or `end`, answers with the latencies of the calm time, or of all since `begin`.
 */
import { tcp } from '@lab/rpc/tcp'
import { Clerk } from '@lab/shardkv/clerk'
import { pacedLoop, pacedUntil, type LoadResult } from './load.ts'

export interface ShardLoad {
  readonly controllers: readonly string[]
  readonly keys: readonly string[]
  readonly perSecond: number
  readonly calmMs: number
}

export type ShardLoadOrder = 'calm' | 'begin' | 'end'

const VALUE = new Uint8Array(256).fill(120)
const { controllers, keys, perSecond, calmMs } = JSON.parse(process.argv[2] ?? '{}') as ShardLoad
const clerk = await Clerk.connect({
  ...{ controllers, transport: tcp(), clusterId: 'bench' },
  ...{ timeout: 60_000, connectTimeout: 60_000 },
})
const put = (n: number): Promise<unknown> => clerk.put(keys[n % keys.length] ?? '', VALUE)
let isOver = false

async function carryOut(order: ShardLoadOrder): Promise<LoadResult | undefined> {
  if (order === 'calm') return pacedLoop(put, perSecond, { warmupMs: 1000, measureMs: calmMs })
  isOver = order === 'end'
  return order === 'begin' ? pacedUntil(put, perSecond, () => isOver) : undefined
}

process.on('message', (order: ShardLoadOrder) => {
  void carryOut(order).then((result) => {
    if (result !== undefined) process.send?.(result)
  })
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
