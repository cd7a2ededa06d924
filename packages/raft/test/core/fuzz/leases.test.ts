/** Leases under what is hardest on them: elections begin the moment they may, and servers restart, hand over and are cut off. */
import { expect, test } from 'vitest'
import { Cluster } from './cluster.ts'

/** A leader that lost its majority stays in office for long after others may be elected. */
const TIMING = { heartbeatMs: 10, electionTimeoutMsMin: 50, electionTimeoutMsMax: 120 }
const LIMITS = {
  appendBytesMax: 1e5,
  writeBytesMax: 100,
  inflightBytesMax: 1e6,
  inflightMessagesMax: 64,
  uncommittedBytesMax: 1e6,
  cacheBytesMax: 1e6,
  cacheEntriesMax: 1e4,
  snapshotChunkBytes: 1e5,
}

type Server = Cluster['servers'][number]

/** One leader's end: its followers are taken from it one after the other, some of them restart or are handed its office. */
function oneEnd(cluster: Cluster): void {
  const { random, faults } = cluster
  const old = cluster.leader()
  if (old === undefined) return
  const others = cluster.servers.filter((server) => server !== old)
  if (random.next() < 0.5) others.reverse()
  if (random.next() < 0.3) faults.delayMsMax = random.integer(5, 30)
  if (random.next() < 0.4)
    cluster.step(old, { type: 'transfer', to: (others[random.integer(0, others.length - 1)] as Server).id })
  for (const server of others) {
    cluster.run(cluster.now + random.next() * 120)
    if (random.next() < 0.5) {
      cluster.crash(server)
      cluster.start(server)
    }
    if (random.next() < 0.7) faults.cut.add(`${old.id}>${server.id}`)
    if (random.next() < 0.7) faults.cut.add(`${server.id}>${old.id}`)
    if (random.next() < 0.3) cluster.propose(old, [new Uint8Array([1])])
  }
  for (let i = 0; i < 6; i++) {
    cluster.run(cluster.now + 15)
    for (const server of cluster.servers) cluster.propose(server, [new Uint8Array([2])])
  }
}

test('while a lease holds nobody else leads, over sixty seeds of leaders brought down', () => {
  let leases = 0
  for (let seed = 0; seed < 60; seed++) {
    const voters = seed % 3 === 0 ? ['n1', 'n2', 'n3', 'n4', 'n5'] : ['n1', 'n2', 'n3']
    const membership = {
      voters,
      votersOutgoing: [],
      learners: [],
      addresses: {},
      index: 0,
      incarnations: {},
      leases: true,
    }
    const cluster = new Cluster({ seed, membership, timing: TIMING, limits: LIMITS, snapshotEvery: Infinity })
    try {
      for (let end = 0; end < 8; end++) {
        cluster.run(cluster.now + 150)
        oneEnd(cluster)
        Object.assign(cluster.faults, { delayMsMax: 2 })
        cluster.faults.cut.clear()
      }
    } catch (cause) {
      throw new Error(`seed ${String(seed)}: ${String(cause)}`, { cause })
    }
    leases += cluster.counts.leases
  }
  expect(leases).toBeGreaterThan(10_000)
})
