/** Linearizable gets. etcd is restarted after the keys were written: this version of it copies much on reads after many writes. */
import type { Benchmark } from './benchmark.ts'
import { startContenders, type Contender } from './peers/contenders.ts'
import { contest } from './peers/contest.ts'

const CALLERS = 256

export const benchmark: Benchmark = {
  title:
    'Linearizable gets, 256 B, three server processes and one client process each over TCP. Peers: etcd (freshly restarted), redis',
  async run({ seconds, peers, log }) {
    const contenders = await startContenders(peers)
    try {
      for (const contender of contenders) await fill(contender)
      const { rows } = await contest('gets', contenders, Math.max(5, seconds - 10) * 1000, { log })
      return rows
    } finally {
      await Promise.all(contenders.map((contender) => contender.stop()))
    }
  },
}

/** All keys once, then all servers anew. */
async function fill({ loader, store, restart }: Contender): Promise<void> {
  await loader.tell({ type: 'open', store: await store(), inFlight: CALLERS })
  await loader.tell({ type: 'fill', inFlight: CALLERS })
  await loader.tell({ type: 'close' })
  await restart()
}
