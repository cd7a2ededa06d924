/** `lab shard`: which group serves what, and the machines below. */
import { gidsOf, shardsOf, weightOf, type Config } from '@lab/shardctrler/clerk'
import { Clerk } from '@lab/shardkv'
import { Option, type Command } from 'commander'
import { addClientOptions, clientOptions, type ClientFlags } from '../client.ts'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRow, formatRows, type Format } from '../output.ts'
import { parseCount, parseNumber, splitList, usage } from '../parse.ts'
import { ShardAdmin } from '../shards/admin.ts'
import { joinGroup, leaveGroup } from '../shards/join.ts'
import { drainNode, growGroup, replaceNode } from '../shards/replace.ts'
import { ranges, shardRows, summaryRows } from '../shards/status.ts'

interface Flags extends ClientFlags {
  readonly output: Format
}

interface JoinFlags extends Flags {
  readonly on: string
  readonly weight: number
}

interface StatusFlags extends Flags {
  readonly all?: boolean
}

/** More shards than that are shown by group. */
const ROWS_MAX = 100

const EXAMPLES = `
  lab shard query                        who serves what; lab shard query 3: in configuration 3
  lab shard status                       each shard: its group, what it does, how much it holds
  lab shard join 103 --on m1,m2,m3       a new group on machines that run; shards move to it
  lab shard join 103 --on m1,m2 --weight 2   it gets twice as many
  lab shard leave 103                    its shards go to the others, then its replicas stop
  lab shard move 7 101                   until the next join or leave, unless: lab shard pin 7
  lab shard drain m2                     others lead what m2 leads: before it is restarted
  lab shard replace m2 m4                m4 takes m2's place in every group; again, if interrupted
  lab shard grow 101 --on m1             one replica more, on a machine that runs`

export function addShardCommands(program: Command, io: Io): void {
  const shard = withExamples(
    program.command('shard').description('shards, their groups and machines'),
    EXAMPLES,
  )
  const leaf = (name: string, what: string): Command =>
    withExamples(addOutputOption(addClientOptions(shard.command(name).description(what))), EXAMPLES)

  leaf('query [num]', 'a configuration: the latest, or that of a number').action(
    (num: string | undefined, flags: Flags) =>
      withAdmin(flags, io, async ({ controller, wait }) => {
        const config = await controller.query(num === undefined ? -1 : parseNumber(num), wait)
        await showConfig(config, flags, io)
      }),
  )
  leaf('status', 'each shard: group, state, keys, bytes, operations a second')
    .option('--all', `a line for each in tables too, when there are more than ${ROWS_MAX}`)
    .action((flags: StatusFlags) => showStatus(flags, io))
  leaf('join <group>', 'start its replicas on machines that run, and give it shards')
    .requiredOption('--on <nodes>', 'ids of the cluster file, or ID=ADDRESS, with commas between')
    .addOption(new Option('--weight <n>', 'of how many shards it gets').argParser(parseCount).default(1))
    .action((group: string, flags: JoinFlags) =>
      change(flags, io, (admin) =>
        joinGroup(admin, gidOf(group), { on: splitList(flags.on), weight: flags.weight }),
      ),
    )
  leaf('leave <group>', 'hand its shards to the others, then stop its replicas').action(
    (group: string, flags: Flags) => change(flags, io, (admin) => leaveGroup(admin, gidOf(group))),
  )
  leaf('move <shard> <group>', 'give one shard to a group').action(
    (number: string, group: string, flags: Flags) =>
      change(flags, io, ({ controller, wait }) => controller.move(parseNumber(number), gidOf(group), wait)),
  )
  leaf('pin <shards...>', 'rebalancing leaves them where they are').action((shards: string[], flags: Flags) =>
    change(flags, io, ({ controller, wait }) => controller.pin(shards.map(parseNumber), wait)),
  )
  leaf('unpin <shards...>', 'rebalancing may move them again').action((shards: string[], flags: Flags) =>
    change(flags, io, ({ controller, wait }) => controller.unpin(shards.map(parseNumber), wait)),
  )
  leaf('weigh <group> <weight>', 'give a group more shards, or fewer').action(
    (group: string, weight: string, flags: Flags) =>
      change(flags, io, ({ controller, wait }) => controller.weigh(gidOf(group), parseCount(weight), wait)),
  )
  addMachineCommands(leaf, io)
}

function addMachineCommands(leaf: (name: string, what: string) => Command, io: Io): void {
  leaf('drain <node>', 'have others lead what it leads').action((node: string, flags: Flags) =>
    withAdmin(flags, io, async (admin) => {
      const groups = await drainNode(admin, node)
      const said = groups.length === 0 ? `${node} leads nothing` : `others lead ${groups.join(', ')}`
      await io.out(formatRow({ node, groups }, flags.output, said))
    }),
  )
  leaf('replace <old> <new>', 'another machine takes its place in every group and the controller').action(
    (old: string, replacement: string, flags: Flags) =>
      withAdmin(flags, io, async (admin) => {
        let wasThere = admin.nodes[old] !== undefined
        for await (const { group, done } of replaceNode(admin, old, replacement)) {
          wasThere ||= done !== 'was not there'
          const whose = group === 0 ? 'controller' : `group ${group}`
          const said = done === 'replaced' ? `${replacement} for ${old}` : `${old} ${done}`
          await io.out(formatRow({ group, done }, flags.output, `${whose}: ${said}`))
          if (done !== 'removed') continue
          const hint = group === 0 ? '' : `; lab shard grow ${group} --on ID adds one`
          io.talk(`${whose} has one replica less: ${replacement} had one already${hint}`)
        }
        if (!wasThere) throw new CliError('NOT_FOUND', `no group knows ${old}, nor does the cluster file`)
      }),
  )
  leaf('grow <group>', 'another machine gets a replica of it')
    .requiredOption('--on <node>', 'id of the cluster file, or ID=ADDRESS')
    .action((group: string, flags: Flags & Pick<JoinFlags, 'on'>) =>
      withAdmin(flags, io, async (admin) => {
        const isNew = await growGroup(admin, gidOf(group), flags.on)
        const said = `group ${group}: ${flags.on} ${isNew ? 'has a replica' : 'had a replica already'}`
        await io.out(formatRow({ group: gidOf(group), node: flags.on, added: isNew }, flags.output, said))
      }),
    )
}

async function withAdmin(flags: Flags, io: Io, work: (admin: ShardAdmin) => Promise<void>): Promise<void> {
  const admin = await ShardAdmin.connect(flags, io)
  try {
    await work(admin)
  } finally {
    await admin.close()
  }
}

/** Makes a configuration, and shows it. */
function change(flags: Flags, io: Io, work: (admin: ShardAdmin) => Promise<number>): Promise<void> {
  return withAdmin(flags, io, async (admin) => {
    await work(admin)
    await showConfig(await admin.controller.query(-1, admin.wait), flags, io)
  })
}

async function showConfig(config: Config, { output }: Flags, io: Io): Promise<void> {
  if (output === 'json' || output === 'jsonl') return io.out(formatRow({ ...config }, output, ''))
  const rows = gidsOf(config).map((gid) => ({
    ...{ configuration: config.num, group: gid, weight: weightOf(config, gid) },
    ...{ shards: ranges(shardsOf(config, gid)), servers: (config.groups[gid] ?? []).join(' ') },
    ...(config.pinned.length === 0 ? {} : { pinned: ranges(pinnedOf(config, gid)) }),
  }))
  if (rows.length === 0) io.talk(`configuration ${config.num}: no groups, ${config.shards.length} shards`)
  else await io.out(formatRows(rows, output))
}

function pinnedOf({ pinned, shards }: Config, gid: number): number[] {
  return pinned.filter((shard) => shards[shard] === gid)
}

async function showStatus(flags: StatusFlags, io: Io): Promise<void> {
  const { shards, ...options } = clientOptions(flags, io, 'client')
  if (shards === null) throw usage('this is no sharded store: give --config FILE')
  const clerk = await Clerk.connect({ ...options, controllers: shards.controllers })
  try {
    const rows = await shardRows(clerk, io.signal)
    const isLong = flags.output === 'table' && rows.length > ROWS_MAX && flags.all !== true
    if (isLong) io.talk(`${rows.length} shards, those that are alike in a line: --all shows each`)
    await io.out(formatRows(isLong ? summaryRows(rows) : rows.map((row) => ({ ...row })), flags.output))
  } finally {
    await clerk.close()
  }
}

function gidOf(text: string): number {
  const gid = parseNumber(text)
  if (gid === 0) throw usage('group 0 is the controller: groups are numbered from 1')
  return gid
}
