/**
 * The program of a process that loads one store: one that spoke to several would run code that is compiled for all of them, and
 * collect what the others' clients left. Told an {@link Order}, answers with what the load reached.
 */
import { closedLoop, pacedLoop, type LoadResult } from '../cluster/load.ts'
import { KEYS, openClient, type Store, type StoreClient } from './store-client.ts'

export type Order =
  | { readonly type: 'open'; readonly store: Store; readonly inFlight: number }
  | { readonly type: 'load'; readonly kind: 'puts' | 'gets'; readonly inFlight: number; readonly ms: number }
  | {
      readonly type: 'pace'
      readonly perSecond: number
      readonly warmupMs: number
      readonly measureMs: number
    }
  /** Puts each key once. */
  | { readonly type: 'fill'; readonly inFlight: number }
  | { readonly type: 'close' }

/** Of the process's own processor time, too. */
export interface Told extends LoadResult {
  readonly cpuMicros: number
}

const NOTHING: LoadResult = { perSecond: 0, p50: 0, p99: 0 }
let client: StoreClient | undefined

async function carryOut(order: Order): Promise<LoadResult> {
  if (order.type === 'open') {
    client = await openClient(order.store, order.inFlight)
    return NOTHING
  }
  if (client === undefined) throw new Error('no client is open')
  const { put, get } = client
  switch (order.type) {
    case 'load':
      return closedLoop(order.kind === 'puts' ? put : get, order.inFlight, {
        warmupMs: 0,
        measureMs: order.ms,
      })
    case 'pace':
      return pacedLoop(put, order.perSecond, order)
    case 'fill': {
      let next = 0
      const caller = async (): Promise<void> => {
        while (next < KEYS) await put(next++)
      }
      await Promise.all(Array.from({ length: order.inFlight }, caller))
      return NOTHING
    }
    case 'close':
      await client.close()
      client = undefined
      return NOTHING
  }
}

process.on('message', (order: Order) => {
  const before = process.cpuUsage()
  void carryOut(order).then((result) => {
    const { user, system } = process.cpuUsage(before)
    const told: Told = { ...result, cpuMicros: user + system }
    process.send?.(told)
  })
})
process.on('disconnect', () => process.exit())
