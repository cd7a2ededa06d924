/** Another machine takes the place of one, dead or alive, in every group and in the controller, while all of them serve. */
import { toError } from '@lab/rpc'
import { gidsOf } from '@lab/shardctrler/clerk'
import { CliError } from '../errors.ts'
import { usage } from '../parse.ts'
import type { ShardAdmin } from './admin.ts'

const CONTROLLER_GROUP = 0
/** The new replica receives the whole state first. */
const CHANGE_MS = 120_000

/** What was done in one group; `removed`: the new machine had a replica already, so there is one less. */
export interface Replaced {
  readonly group: number
  readonly done: 'replaced' | 'removed' | 'was not there'
}

/**
 * Group by group: a replica starts on the new machine, catches up, gets the vote and the old one loses it, in one change (§6); then the
 * controller tells where the group is. What is done stays done: after a failure the same command goes on.
 *
 * @throws {CliError} `USAGE` when both are one machine
 */
export async function* replaceNode(
  admin: ShardAdmin,
  old: string,
  replacement: string,
): AsyncGenerator<Replaced, void, undefined> {
  if (admin.node(replacement).id === old)
    throw usage(`${old} cannot take its own place: name another machine`)
  const { groups } = await admin.controller.query(-1, admin.wait)
  const controllers = await admin.atGroup(
    CONTROLLER_GROUP,
    Object.values(admin.nodes).flat(),
    async (client) => {
      const { membership } = await client.membership(admin.wait)
      return Object.values(membership.addresses).flat()
    },
  )
  yield {
    group: CONTROLLER_GROUP,
    done: await replaceIn(admin, { group: CONTROLLER_GROUP, servers: controllers, old, replacement }),
  }
  for (const group of gidsOf({ groups })) {
    const servers = groups[group] ?? []
    yield { group, done: await replaceIn(admin, { group, servers, old, replacement }) }
    await relocate(admin, { group, servers, replacement })
  }
}

/**
 * Another machine gets a replica of a group, which has one more from then on. What is done stays done: after a failure the same
 * command goes on.
 *
 * @returns false when it had one already
 * @throws {CliError} `NOT_FOUND` when there is no such group
 */
export async function growGroup(admin: ShardAdmin, group: number, node: string): Promise<boolean> {
  const servers = (await admin.controller.query(-1, admin.wait)).groups[group]
  if (servers === undefined) throw new CliError('NOT_FOUND', `there is no group ${group}`)
  const { id, addresses } = admin.node(node)
  const isNew = await admin.atGroup(group, [...servers, ...addresses], async (client) => {
    const { membership } = await client.membership(admin.wait)
    if (membership.voters.includes(id)) return false
    if (!membership.learners.includes(id)) await startAnew(admin, { group, servers, replacement: node })
    await client.changeMembership({ add: { [id]: addresses } }, { timeout: CHANGE_MS, signal: admin.signal })
    return true
  })
  await relocate(admin, { group, servers, replacement: node })
  return isNew
}

/** One that was a member before and has not found out that it is none any more lets go of its old log first. */
async function startAnew(
  admin: ShardAdmin,
  { group, servers, replacement }: Omit<Place, 'old'>,
): Promise<void> {
  await admin.atHost(admin.node(replacement).addresses, async (host) => {
    const { groups } = await host.about(undefined, admin.wait)
    if (groups.includes(group)) await host.stop(group, admin.wait)
    await host.start({ group, join: servers }, admin.wait)
  })
}

/** The controller tells where the group is now. */
async function relocate(
  admin: ShardAdmin,
  { group, servers, replacement }: Omit<Place, 'old'>,
): Promise<void> {
  const everywhere = [...servers, ...admin.node(replacement).addresses]
  const now = await admin.atGroup(group, everywhere, async (client) => {
    const { membership } = await client.membership(admin.wait)
    return membership.voters.flatMap((id) => membership.addresses[id] ?? [])
  })
  if ([...now].sort().join() !== [...servers].sort().join())
    await admin.controller.relocate(group, now, admin.wait)
}

interface Place {
  readonly group: number
  /** Where its servers are. */
  readonly servers: readonly string[]
  readonly old: string
  readonly replacement: string
}

async function replaceIn(
  admin: ShardAdmin,
  { group, servers, old, replacement }: Place,
): Promise<Replaced['done']> {
  const { id, addresses } = admin.node(replacement)
  return admin.atGroup(group, [...servers, ...addresses], async (client) => {
    const { membership } = await client.membership(admin.wait)
    const isThere = (node: string): boolean => [...membership.voters, ...membership.learners].includes(node)
    if (!isThere(old)) return 'was not there'
    const oldAddresses = membership.addresses[old] ?? []
    if (!isThere(id)) await startAnew(admin, { group, servers, replacement })
    const change = { remove: [old], ...(membership.voters.includes(id) ? {} : { add: { [id]: addresses } }) }
    await client.changeMembership(change, { timeout: CHANGE_MS, signal: admin.signal })
    // If the old machine lives, it need not keep what is no longer its own.
    await admin
      .atHost(oldAddresses, (host) => host.stop(group, admin.wait))
      .catch((thrown: unknown) => toError(thrown))
    return isThere(id) && membership.voters.includes(id) ? 'removed' : 'replaced'
  })
}

/** Has every group that `node` leads, the controller too, be led by another. @returns the numbers of those groups */
export async function drainNode(admin: ShardAdmin, node: string): Promise<number[]> {
  const { id, addresses } = admin.node(node)
  const { groups } = await admin.atHost(addresses, (host) => host.about(undefined, admin.wait))
  const everywhere = Object.values(admin.nodes).flat()
  const handed: number[] = []
  for (const group of groups)
    await admin.atGroup(group, everywhere, async (client) => {
      const reports = await client.status(admin.wait)
      const leads = reports.some(({ status }) => status?.id === id && status.role === 'leader')
      if (!leads) return
      await client.stepDown(admin.wait)
      handed.push(group)
    })
  return handed
}
