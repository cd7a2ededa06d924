/** `lab cluster health`: is every voter up and close behind, in every group? */
import { RaftError, type ServerReport } from '@lab/raft'
import { Clerk as Controller, gidsOf } from '@lab/shardctrler/clerk'
import { clientOptions, connectClient, type ClientFlags } from '../client.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { formatRows, type Format } from '../output.ts'

interface Flags extends ClientFlags {
  readonly output: Format
}

/** A member; or a group in which nobody leads, which cannot say who they are. */
interface HealthRow {
  /** In a sharded store of which all are shown. */
  readonly group?: number | 'controller'
  readonly node: string | null
  readonly vote: 'voter' | 'learner' | null
  readonly role: string | null
  readonly lag: number | null
  readonly health: string
}

const STATUS_MS_MAX = 2000
/** A follower this many entries behind is late, not busy. */
const LAG_ENTRIES_MAX = 10_000
const WELL = 'ok'
const NO_LEADER = 'nobody leads'

/** Exit code 4 when nobody leads somewhere, 1 when something else is not as it should be. */
export async function showHealth(flags: Flags, io: Io): Promise<void> {
  const groups = await groupsOf(flags, io)
  const rows =
    groups === null
      ? await healthRows(flags, io)
      : (await Promise.all(groups.map((group) => groupRows(group, flags, io)))).flat()
  await io.out(
    formatRows(
      rows.map((row) => ({ ...row })),
      flags.output,
    ),
  )
  const ill = rows.filter(({ health }) => health !== WELL)
  if (ill.length === 0) return
  const code = ill.some(({ health }) => health === NO_LEADER) ? 'UNAVAILABLE' : 'FAILED'
  throw new CliError(code, ill.map((row) => `${nameOf(row)}: ${row.health}`).join('; '))
}

/** All of a sharded store, unless one is named. Null: there is one, or one is meant. */
async function groupsOf(flags: Flags, io: Io): Promise<readonly number[] | null> {
  const { shards, ...options } = clientOptions(flags, io, 'client')
  if (shards === null || flags.group !== undefined) return null
  const controller = await Controller.connect({ ...options, servers: shards.controllers })
  try {
    return [0, ...gidsOf(await controller.query(-1, { timeout: flags.timeout, signal: io.signal }))]
  } finally {
    await controller.close()
  }
}

async function groupRows(group: number, flags: Flags, io: Io): Promise<HealthRow[]> {
  const name = group === 0 ? 'controller' : group
  const rows = await healthRows({ ...flags, group }, io).catch((thrown: unknown): HealthRow[] => {
    if (!(thrown instanceof RaftError)) throw thrown
    return [{ node: null, vote: null, role: null, lag: null, health: NO_LEADER }]
  })
  return rows.map((row) => ({ group: name, ...row }))
}

/** @throws {RaftError} `UNAVAILABLE` when nobody leads */
async function healthRows(flags: Flags, io: Io): Promise<HealthRow[]> {
  const client = await connectClient(flags, io)
  try {
    const { membership, committed } = await client.membership({ timeout: flags.timeout, signal: io.signal })
    const reports = await reportsOf(Object.values(membership.addresses).flat(), flags, io)
    const rows = [...membership.voters, ...membership.learners].map((id) =>
      healthRow(id, membership.voters.includes(id), reports),
    )
    if (!committed) io.talk('a change of membership is under way')
    return committed ? rows : rows.map((row) => ({ ...row, health: 'changing' }))
  } finally {
    await client.close()
  }
}

/** Of every member, also of those that the command was not told of. */
async function reportsOf(servers: readonly string[], flags: Flags, io: Io): Promise<ServerReport[]> {
  const client = await connectClient(flags, io, 'client', servers)
  try {
    return await client.status({ timeout: Math.min(flags.timeout, STATUS_MS_MAX), signal: io.signal })
  } finally {
    await client.close()
  }
}

function healthRow(id: string, votes: boolean, reports: readonly ServerReport[]): HealthRow {
  const own = reports.find(({ status }) => status?.id === id)?.status
  const leader = reports.find(({ status }) => status?.role === 'leader')?.status
  const lag = own == null || leader == null ? null : Math.max(0, leader.commitIndex - own.appliedIndex)
  const health = own == null ? 'down' : lag !== null && lag > LAG_ENTRIES_MAX ? 'far behind' : WELL
  return { node: id, vote: votes ? 'voter' : 'learner', role: own?.role ?? null, lag, health }
}

/** `m2`, `m2 in group 101`, `group 101`. */
function nameOf({ group, node }: HealthRow): string {
  const place = group === undefined ? null : group === 'controller' ? group : `group ${group}`
  if (node === null) return place ?? 'the cluster'
  return place === null ? node : `${node} in ${place}`
}
