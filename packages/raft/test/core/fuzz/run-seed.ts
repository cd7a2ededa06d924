import { assert, seededRandom, type Random } from '@lab/rpc'
import type { CoreLimits, Timing } from '../../../src/core/ready.ts'
import type { Membership } from '../../../src/types.ts'
import { membersOf } from '../../../src/core/membership.ts'
import type { MembershipChange } from '../../../src/core/membership-change.ts'
import { Cluster } from './cluster.ts'
import { CALM } from './faults.ts'
import { isOut, mistakes } from './members.ts'

const CHAOS_STEPS = 60

/** The last one leaves an old leader in office for long after a new one may have been elected. */
const TIMINGS: readonly Timing[] = [
  { heartbeatMs: 20, electionTimeoutMsMin: 100, electionTimeoutMsMax: 200 },
  { heartbeatMs: 10, electionTimeoutMsMin: 40, electionTimeoutMsMax: 80 },
  { heartbeatMs: 10, electionTimeoutMsMin: 40, electionTimeoutMsMax: 250 },
]

/** What a run went through, so that a test can see that nothing was left out. */
export type Coverage = Cluster['counts'] & {
  readonly digest: number
  readonly terms: number
  readonly committed: number
}

/** Servers beside the first ones, for changes of membership. */
const SPARES = ['s1', 's2', 's3']

/** Runs one seed: chaos, then calm. With `changes` who takes part changes all the time. @throws when an invariant breaks, or when the calm cluster does not come to agree */
export function runSeed(seed: number, { changes = false } = {}): Coverage {
  const random = seededRandom(seed)
  const voters = random.next() < 0.1 ? 1 : random.integer(2, 5)
  const learners = random.next() < 0.2 ? 1 : 0
  const cluster = new Cluster({
    seed,
    membership: membershipOf(voters, learners, seed % 2 === 1),
    ...(changes ? { spares: SPARES } : {}),
    timing: TIMINGS[random.integer(0, TIMINGS.length - 1)] as Timing,
    limits: limitsOf(random),
    snapshotEvery: random.next() < 0.6 ? random.integer(10, 60) : Infinity,
  })
  for (let step = 0; step < CHAOS_STEPS; step++) {
    disturb(cluster)
    if (changes) change(cluster)
    const load = cluster.random.integer(0, 8)
    for (let i = 0; i < load; i++) use(cluster)
    cluster.run(cluster.now + cluster.random.integer(1, 60))
  }
  calm(cluster)
  const term = Math.max(...cluster.servers.map((server) => server.core?.status().currentTerm ?? 0))
  return { ...cluster.counts, digest: cluster.digest, terms: term, committed: cluster.invariants.commitIndex }
}

function membershipOf(voters: number, learners: number, leases: boolean): Membership {
  const ids = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${prefix}${String(i + 1)}`)
  return {
    voters: ids('n', voters),
    votersOutgoing: [],
    learners: ids('l', learners),
    addresses: {},
    index: 0,
    incarnations: {},
    leases,
  }
}

/** Tiny limits, so that full windows, fetches from disk, snapshots and refusals to take more are the rule. */
function limitsOf(random: Random): CoreLimits {
  if (random.next() < 0.3)
    return {
      appendBytesMax: 1e5,
      writeBytesMax: 1e5,
      inflightBytesMax: 1e6,
      inflightMessagesMax: 64,
      uncommittedBytesMax: 1e6,
      cacheBytesMax: 1e6,
      cacheEntriesMax: 1e4,
      snapshotChunkBytes: 1e5,
    }
  return {
    appendBytesMax: random.integer(1, 300),
    writeBytesMax: random.integer(1, 300),
    inflightBytesMax: 900,
    inflightMessagesMax: random.integer(1, 4),
    uncommittedBytesMax: 4000,
    cacheBytesMax: random.integer(0, 800),
    cacheEntriesMax: 12,
    snapshotChunkBytes: 200,
  }
}

function disturb(cluster: Cluster): void {
  const { random, faults, servers } = cluster
  const any = () => servers[random.integer(0, servers.length - 1)] as (typeof servers)[number]
  const dice = random.next()
  if (dice < 0.1) {
    const server = any()
    if (server.core === null) cluster.start(server)
    else cluster.crash(server)
  } else if (dice < 0.16) {
    const leader = cluster.leader()
    if (leader !== undefined) cluster.crash(leader)
  } else if (dice < 0.3) {
    for (const server of servers) if (server.core === null) cluster.start(server)
  } else if (dice < 0.4) {
    faults.cut.add(`${any().id}>${any().id}`)
  } else if (dice < 0.46) {
    const { id } = (random.next() < 0.5 ? cluster.leader() : undefined) ?? any()
    for (const other of servers) faults.cut.add(`${id}>${other.id}`).add(`${other.id}>${id}`)
  } else if (dice < 0.6) {
    faults.cut.clear()
  } else if (dice < 0.7) {
    faults.loss = random.next() < 0.5 ? 0 : random.next() * 0.3
    faults.duplication = random.next() < 0.5 ? 0 : random.next() * 0.3
    faults.delayMsMax = random.next() < 0.7 ? random.integer(1, 20) : random.integer(20, 150)
  } else if (dice < 0.78) {
    faults.diskMsMax = random.next() < 0.7 ? random.integer(1, 10) : random.integer(20, 400)
  } else if (dice < 0.82) {
    cluster.step(any(), { type: 'unreachable', peer: any().id })
  } else if (dice < 0.86) {
    const leader = cluster.leader()
    if (leader !== undefined) cluster.step(leader, { type: 'transfer', to: any().id })
  }
}

/** Somebody who changes their mind: any set of voters to any other, learners, hand-overs, and disks of removed servers emptied. */
function change(cluster: Cluster): void {
  const { random, servers } = cluster
  const leader = cluster.leader()
  const dice = random.next()
  if (dice < 0.5 && leader !== undefined) cluster.reconfigure(leader, anyChange(cluster))
  else if (dice < 0.55 && leader !== undefined) cluster.step(leader, { type: 'stepDown' })
  else if (dice < 0.6 && leader !== undefined) cluster.step(leader, { type: 'transfer', to: null })
  else if (dice < 0.66) {
    const out = servers.filter(({ id }) => isOut(cluster, id))
    const removed = out[random.integer(0, Math.max(0, out.length - 1))]
    if (removed === undefined) return
    cluster.wipe(removed)
    if (random.next() < 0.8) cluster.start(removed)
  }
}

function anyChange({ random, servers, invariants }: Cluster): MembershipChange {
  const { voters = [], learners = [] } = invariants.membership ?? {}
  const add: Record<string, string[]> = {}
  const addLearners: Record<string, string[]> = {}
  const remove: string[] = []
  const demote: string[] = []
  for (const { id } of servers) {
    const dice = random.next()
    if (dice < 0.3) add[id] = [`tcp://${id}:${String(random.integer(1, 9))}`]
    else if (dice < 0.4 && !voters.includes(id)) addLearners[id] = []
    else if (dice < 0.65) remove.push(id)
    else if (dice < 0.7 && (voters.includes(id) || learners.includes(id))) demote.push(id)
  }
  return { add, addLearners, remove, demote }
}

/** A client: proposals mostly to the leader, reads to anybody, so that a leader that is none any more is asked too. */
function use(cluster: Cluster): void {
  const { random, servers } = cluster
  const any = servers[random.integer(0, servers.length - 1)] as (typeof servers)[number]
  if (random.next() < 0.4) {
    for (const server of random.next() < 0.3 ? servers : [any]) cluster.read(server)
  } else {
    const server = random.next() < 0.8 ? (cluster.leader() ?? any) : any
    const payloads = Array.from({ length: random.integer(1, 4) }, () => random.bytes(random.integer(0, 250)))
    cluster.propose(server, payloads)
  }
  if (random.next() < 0.5) cluster.run(cluster.now + random.next() * 5)
}

/** Faults off: within some election timeouts there is a leader, it commits and answers reads, and all servers are equal. */
function calm(cluster: Cluster): void {
  Object.assign(cluster.faults, CALM)
  cluster.faults.cut.clear()
  for (const server of cluster.servers) if (server.core === null) cluster.start(server)
  // What was under way when the faults ended arrives, and whoever leads then goes on leading.
  cluster.run(cluster.now + 1000)
  const leader = cluster.leader()
  assert(leader?.core != null, 'a calm cluster has a leader')
  const before = cluster.invariants.commitIndex
  cluster.propose(leader, [new Uint8Array([1, 2, 3])])
  cluster.read(leader)
  const membership = leader.core.status().membership
  const members = cluster.servers.filter(
    ({ id, core }) => membersOf(membership).includes(id) && !mistakes(core, cluster.disk(id), leader),
  )
  const agreed = (): boolean =>
    cluster.invariants.commitIndex > before &&
    members.every((server) => server.applied === cluster.invariants.commitIndex)
  for (const end = cluster.now + 3000; cluster.now < end && !agreed();) cluster.run(cluster.now + 50)
  assert(cluster.leader() === leader, 'a calm cluster keeps its leader')
  assert(membership.votersOutgoing.length === 0, 'a calm cluster leaves a joint configuration')
  assert(membership.voters.includes(leader.id), 'who leads a calm cluster has a vote')
  assert(leader.reads.size === 0, 'a calm leader answers reads')
  const { commitIndex } = cluster.invariants
  assert(commitIndex > before, 'a calm cluster commits')
  for (const { id, applied, state } of members) {
    assert(applied === commitIndex, `${id} applied ${String(applied)} of ${String(commitIndex)}`)
    assert(state === leader.state, `${id} has another state`)
  }
}
