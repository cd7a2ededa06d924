/** A group comes and goes: its replicas on machines that run, and its place in the configuration. */
import { setTimeout as sleep } from 'node:timers/promises'
import { toError } from '@lab/rpc'
import { CliError } from '../errors.ts'
import type { ShardAdmin } from './admin.ts'

const POLL_MS = 100

/**
 * Starts the replicas, then has the group join. Each step may be repeated: after a failure the same command goes on.
 *
 * @returns the number of the configuration
 */
export async function joinGroup(
  admin: ShardAdmin,
  gid: number,
  { on, weight }: { readonly on: readonly string[]; readonly weight: number },
): Promise<number> {
  const nodes = on.map((named) => admin.node(named))
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
  const servers = nodes.flatMap(({ addresses }) => addresses)
  return admin.controller.join({ [gid]: servers }, { weights: { [gid]: weight }, ...admin.wait })
}

/**
 * Has the group leave, waits until it has handed over all that it has, then stops its replicas.
 *
 * @returns the number of the configuration
 */
export async function leaveGroup(admin: ShardAdmin, gid: number): Promise<number> {
  const { groups } = await admin.controller.query(-1, admin.wait)
  const servers = groups[gid] ?? []
  const num =
    groups[gid] === undefined && (await isLeaving(admin, gid))
      ? -1
      : await admin.controller.leave([gid], admin.wait)
  const deadline = Date.now() + admin.timeout
  while (await isLeaving(admin, gid)) {
    if (Date.now() > deadline)
      throw new CliError(
        'FAILED',
        `group ${gid} still hands over its shards; the same command goes on waiting`,
      )
    await sleep(POLL_MS, undefined, { signal: admin.signal })
  }
  for (const server of servers)
    await admin.atHost([server], (host) => host.stop(gid, admin.wait)).catch(() => undefined)
  return num
}

/** The controller waits for it to finish the configuration by which it left. */
async function isLeaving(admin: ShardAdmin, gid: number): Promise<boolean> {
  const { finished } = await admin.controller.progress(admin.wait)
  const { groups } = await admin.controller.query(-1, admin.wait)
  return finished[gid] !== undefined && groups[gid] === undefined
}
