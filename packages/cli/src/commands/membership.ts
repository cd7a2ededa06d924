/** `lab cluster members, add, remove …`: who takes part, who leads, and whether all is well. */
import type { MembershipChangeInput, MembershipReport, RaftClient } from '@lab/raft'
import { Option, type Command } from 'commander'
import { addClientOptions, addGroupOption, connectClient, type ClientFlags } from '../client.ts'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import { showHealth } from './health.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRow, formatRows, type Format, type Row } from '../output.ts'
import { parseMembers, parseNumber } from '../parse.ts'

interface Flags extends ClientFlags {
  readonly output: Format
}

interface ChangeFlags extends Flags {
  readonly learner?: boolean
  readonly ifIndex?: number
}

const EXAMPLES = `
  lab cluster members                            who takes part, and where
  lab cluster add n4=tcp://10.0.0.4:7000         a server that runs with --join becomes a voter
  lab cluster add n4=tcp://10.0.0.4:7000 --learner   without a vote; later: lab cluster promote n4
  lab cluster remove n2                          also when n2 is dead, as long as a majority is up
  lab cluster move n3=tcp://10.0.0.9:7000        n3 is reached elsewhere now
  lab cluster transfer-leader n1                 before n1's machine is needed, or n2's is taken away
  lab cluster health                             exit code 0 when every voter is up and close behind`

/** New voters receive the whole log first. */
const CHANGE_MS = 60_000

export function addMembershipCommands(cluster: Command, io: Io): void {
  const command = (name: string, what: string): Command =>
    withExamples(
      addOutputOption(addGroupOption(addClientOptions(cluster.command(name).description(what)))),
      EXAMPLES,
    )
  const ifIndex = (): Option =>
    new Option('--if-index <n>', 'only if the configuration still is that of entry n').argParser(parseNumber)

  command('members', 'who takes part, and where').action((flags: Flags) =>
    withClient(flags, io, 'client', async (client) =>
      showMembers(await client.membership(wait(flags, io)), flags, io),
    ),
  )
  command('add', 'servers that run with --join become members')
    .argument('<members...>', 'ID=ADDRESS')
    .option('--learner', 'receive the log, have no vote')
    .addOption(ifIndex())
    .action((members: string[], flags: ChangeFlags, self: Command) => {
      const named = parseMembers(members.join(','))
      return change(flags.learner === true ? { addLearners: named } : { add: named }, flags, self, io)
    })
  command('promote', 'learners become voters')
    .argument('<ids...>')
    .addOption(ifIndex())
    .action((promote: string[], flags: ChangeFlags, self: Command) => change({ promote }, flags, self, io))
  command('remove', 'members, dead or alive, take part no more')
    .argument('<ids...>')
    .addOption(ifIndex())
    .action((remove: string[], flags: ChangeFlags, self: Command) => change({ remove }, flags, self, io))
  command('move', 'members are reached elsewhere')
    .argument('<members...>', 'ID=ADDRESS')
    .addOption(ifIndex())
    .action((members: string[], flags: ChangeFlags, self: Command) =>
      change({ addresses: parseMembers(members.join(',')) }, flags, self, io),
    )
  command('transfer-leader', 'somebody else leads: the one named, or whoever has most of the log')
    .argument('[id]')
    .action((id: string | undefined, flags: Flags) =>
      withAdmin(flags, io, async (client) => {
        const { leader, term } = await client.transferLeadership(id, wait(flags, io))
        await io.out(formatRow({ leader, term }, flags.output, `${leader ?? 'nobody'} leads, term ${term}`))
      }),
    )
  command('health', 'is every voter up and close behind? Of a sharded store in every group').action(
    (flags: Flags) => showHealth(flags, io),
  )
}

async function change(
  wanted: MembershipChangeInput,
  flags: ChangeFlags,
  self: Command,
  io: Io,
): Promise<void> {
  const timeout = self.getOptionValueSource('timeout') === 'default' ? CHANGE_MS : flags.timeout
  await withAdmin(flags, io, async (client) => {
    const { membership } = await client.membership(wait(flags, io))
    const members = new Set([...membership.voters, ...membership.learners])
    const stranger = [...(wanted.remove ?? []), ...(wanted.promote ?? [])].find((id) => !members.has(id))
    if (stranger !== undefined)
      throw new CliError('NOT_FOUND', `${stranger} is no member: there are ${[...members].join(', ')}`)
    const report = await client.changeMembership(wanted, {
      timeout,
      signal: io.signal,
      ifIndex: flags.ifIndex,
    })
    await showMembers(report, flags, io)
  })
}

function withAdmin(flags: Flags, io: Io, work: (client: RaftClient) => Promise<void>): Promise<void> {
  return withClient(flags, io, 'admin', work)
}

async function withClient(
  flags: Flags,
  io: Io,
  role: 'client' | 'admin',
  work: (client: RaftClient) => Promise<void>,
): Promise<void> {
  const client = await connectClient(flags, io, role)
  try {
    await work(client)
  } finally {
    await client.close()
  }
}

function wait({ timeout }: Flags, { signal }: Io): { timeout: number; signal: AbortSignal } {
  return { timeout, signal }
}

async function showMembers(report: MembershipReport, { output }: Flags, io: Io): Promise<void> {
  await io.out(formatRows(memberRows(report), output))
  if (!report.committed) io.talk('a change of membership is under way')
}

function memberRows({ membership, index }: MembershipReport): Row[] {
  const { voters, votersOutgoing, learners, addresses } = membership
  const leaving = votersOutgoing.filter((id) => !voters.includes(id))
  const row =
    (vote: string) =>
    (id: string): Row => ({ node: id, vote, address: (addresses[id] ?? []).join(' '), index })
  return [...voters.map(row('voter')), ...leaving.map(row('leaving')), ...learners.map(row('learner'))]
}
