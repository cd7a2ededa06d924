/**
 * A machine lets go of replicas that ended while it was down, as whoever ended them could not tell it: those of groups that left, and
 * those that another machine took the place of.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { RaftClient, type NodeId } from '@lab/raft'
import { Clerk, type ClerkOptions } from '@lab/shardctrler/clerk'
import { CONTROLLER_GROUP, type Replicas } from './replicas.ts'

const LOOK_MS = 15_000
const RETRY_MS = 2000
/** Whoever is asked may be away for longer than this process lives. */
const CONNECT_MS = 2000

/** Looks at once and then now and then, until `signal` aborts. Never rejects: who cannot be asked is asked later. */
export async function stopDeparted(
  replicas: Replicas,
  options: ClerkOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const isDone = await stopOnce(replicas, options, signal).then(
      () => true,
      () => false,
    )
    await sleep(isDone ? LOOK_MS : RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

async function stopOnce(replicas: Replicas, options: ClerkOptions, signal: AbortSignal): Promise<void> {
  const clerk = await Clerk.connect({ ...options, connectTimeout: CONNECT_MS })
  try {
    const { gone } = await clerk.progress({ signal })
    const { groups } = await clerk.query(-1, { signal })
    for (const group of replicas.numbers) {
      const servers = group === CONTROLLER_GROUP ? options.servers : groups[group]
      if (
        gone.includes(group) ||
        (servers !== undefined && (await isReplaced(replicas, group, { ...options, servers })))
      )
        await replicas.stop(group)
    }
  } finally {
    await clerk.close()
  }
}

/**
 * Was this replica a member, and has a later configuration of its group, committed, no place for it? One that waits to be added knows
 * of no configuration with itself in it, and one that is only slow is in its group's.
 */
async function isReplaced(replicas: Replicas, group: number, options: ClerkOptions): Promise<boolean> {
  const own = replicas.status(group)
  if (own === null || own.role === 'leader' || !has(own, own.id)) return false
  // The controller tells where a group is: one look there spares asking the groups.
  const isListed = own.addresses[own.id]?.some((address) => options.servers.includes(address)) === true
  if (isListed && group !== CONTROLLER_GROUP) return false
  const client = await RaftClient.connect({
    ...options,
    group,
    connectTimeout: CONNECT_MS,
    timeout: CONNECT_MS,
  })
  try {
    const { membership, index, committed } = await client.membership()
    return committed && index > own.membershipIndex && !has(membership, own.id)
  } finally {
    await client.close()
  }
}

interface Members {
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  readonly learners: readonly NodeId[]
}

function has({ voters, votersOutgoing, learners }: Members, id: NodeId): boolean {
  return [...voters, ...votersOutgoing, ...learners].includes(id)
}
