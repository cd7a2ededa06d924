/** `lab cluster`: what all clusters have, whatever they keep. */
import type { ServerReport } from '@lab/raft'
import type { Command } from 'commander'
import { addClientOptions, addGroupOption, connectClient, type ClientFlags } from '../client.ts'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import { addMembershipCommands } from './membership.ts'
import { addRecoveryCommands } from './recovery.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRows, type Format, type Row } from '../output.ts'

interface StatusFlags extends ClientFlags {
  readonly output: Format
}

const EXAMPLES = `
  lab cluster status                             of the cluster that lab up started here
  lab cluster status --servers 10.0.0.1:7000     of another; one server knows the rest
  lab cluster status -o json                     for programs
  lab cluster backup kv.backup                   the whole state in one file`

export function addClusterCommands(program: Command, io: Io): void {
  const cluster = withExamples(
    program.command('cluster').description('look at a cluster, and change it'),
    EXAMPLES,
  )
  const status = cluster.command('status').description('each server: role, term, how far it is')
  withExamples(addOutputOption(addGroupOption(addClientOptions(status))), EXAMPLES).action(
    (flags: StatusFlags) => showStatus(flags, io),
  )
  addMembershipCommands(cluster, io)
  addRecoveryCommands(cluster, io)
}

/** Exit code 4 when nobody leads: the cluster does not serve. */
async function showStatus(flags: StatusFlags, io: Io): Promise<void> {
  const client = await connectClient(flags, io)
  try {
    const reports = await client.status({
      timeout: Math.min(flags.timeout, STATUS_MS_MAX),
      signal: io.signal,
    })
    await io.out(formatRows(reports.map(statusRow), flags.output))
    if (!reports.some(({ status }) => status?.role === 'leader'))
      throw new CliError('UNAVAILABLE', whyNobodyLeads(flags.group))
  } finally {
    await client.close()
  }
}

function whyNobodyLeads(group = 0): string {
  if (group === 0) return 'no server leads: a majority of the members must be up'
  return `no server leads group ${group}: there is none (lab shard query), or no majority of its members is up`
}

/** A server that does not answer is waited for no longer than this. */
const STATUS_MS_MAX = 2000

function statusRow({ status, addresses, error }: ServerReport): Row {
  const address = addresses.join(' ')
  if (status === null) {
    const reason = error?.code.toLowerCase() ?? 'silent'
    return { node: null, role: reason, term: null, commit: null, applied: null, snapshot: null, address }
  }
  const { id, role, term, commitIndex, appliedIndex, snapshotIndex } = status
  return {
    node: id,
    role,
    term,
    commit: commitIndex,
    applied: appliedIndex,
    snapshot: snapshotIndex,
    address,
  }
}
