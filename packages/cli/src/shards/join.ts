/** A group comes and goes: its replicas on machines that run, and its place in the configuration. */
import { setTimeout as sleep } from 'node:timers/promises'
import { toError } from '@lab/rpc'
import { CliError } from '../errors.ts'
import { usage } from '../parse.ts'
import type { ShardAdmin } from './admin.ts'

const POLL_MS = 100

/**
 * Starts the replicas, waits until one of them leads, then has the group join. Each step may be repeated: after a failure the same command goes on.
 *
 * @returns the number of the configuration
 */
export async function joinGroup(
  admin: ShardAdmin,
  gid: number,
  { on, weight }: { readonly on: readonly string[]; readonly weight: number },
): Promise<number> {
  const nodes = on.map((named) => admin.node(named))
  const servers = nodes.flatMap(({ addresses }) => addresses)
  const twice = servers.find((server, at) => servers.indexOf(server) < at)
  if (twice !== undefined) throw usage(`--on names ${twice} twice: each replica needs a machine of its own`)
  const { num, groups } = await admin.controller.query(-1, admin.wait)
  // The same command again, whose answer was lost.
  if (groups[gid]?.join() === servers.join()) return num
  // Before a replica starts anywhere: the controller says why not.
  if (groups[gid] !== undefined) return admin.controller.join({ [gid]: servers }, admin.wait)
  const { gone } = await admin.controller.progress(admin.wait)
  if (gone.includes(gid))
    throw new CliError(
      'FAILED',
      `there was a group ${gid}, and a machine that was down may still have its log: give the new one a number of its own`,
    )
  const members = Object.fromEntries(nodes.map(({ id, addresses }) => [id, addresses]))
  await Promise.all(
    nodes.map(({ id, addresses }) =>
      admin
        .atHost(addresses, (host) => host.start({ group: gid, members }, admin.wait))
        .catch((thrown: unknown) => {
          throw new CliError(
            'FAILED',
            `${id} did not start a replica of group ${gid}: ${toError(thrown).message}`,
            {
              cause: thrown,
            },
          )
        }),
    ),
  )
  // Shards that a group gets before it has a leader would be served by nobody until then.
  await admin.atGroup(gid, servers, (group) => group.membership(admin.wait))
  return admin.controller.join({ [gid]: servers }, { weights: { [gid]: weight }, ...admin.wait })
}

/**
 * Has the group leave, waits until it has handed over all that it has, then stops its replicas. One on a machine that is down just now
 * goes when that comes back (see departed.ts).
 *
 * @returns the number of the configuration
 */
export async function leaveGroup(admin: ShardAdmin, gid: number): Promise<number> {
  const { num, groups } = await admin.controller.query(-1, admin.wait)
  const isMember = groups[gid] !== undefined
  const { finished, gone } = await admin.controller.progress(admin.wait)
  const left =
    !isMember && (finished[gid] !== undefined || gone.includes(gid))
      ? num // The same command again, which was interrupted.
      : await admin.controller.leave([gid], admin.wait)
  await waitUntilGone(admin, gid)
  const everywhere = new Set([...(groups[gid] ?? []), ...Object.values(admin.nodes).flat()])
  await Promise.all(
    [...everywhere].map((server) =>
      admin.atHost([server], (host) => host.stop(gid, admin.wait)).catch(() => undefined),
    ),
  )
  return left
}

async function waitUntilGone(admin: ShardAdmin, gid: number): Promise<void> {
  const deadline = Date.now() + admin.timeout
  while (!(await admin.controller.progress(admin.wait)).gone.includes(gid)) {
    if (Date.now() > deadline)
      throw new CliError(
        'FAILED',
        `group ${gid} still hands over its shards; the same command goes on waiting`,
      )
    await sleep(POLL_MS, undefined, { signal: admin.signal })
  }
}
