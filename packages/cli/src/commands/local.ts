/** `lab up`, `lab down`: a cluster on this machine. */
import { join, relative } from 'node:path'
import { Option, type Command } from 'commander'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { LAB_FOLDER, findLabFolder, readClusterFile } from '../local/cluster-file.ts'
import {
  membersOf,
  planCluster,
  startCluster,
  stopCluster,
  wipeCluster,
  type ClusterPlan,
  type LocalTransport,
} from '../local/local-cluster.ts'
import { filePlan, isSecure } from '../local/plan-file.ts'
import { shardedPlan } from '../local/sharded-plan.ts'
import type { ServerProcess } from '../local/server-process.ts'
import { parseCount, usage } from '../parse.ts'
import { CLIENT_ID, readConfigFile } from '../server/config-file.ts'

interface UpFlags {
  readonly nodes?: number
  readonly transport: LocalTransport
  readonly detach?: boolean
  readonly groups?: number
  readonly shards?: number
  readonly tls?: boolean
}

const UP_EXAMPLES = `
  lab up                       three servers, until Ctrl-C
  lab up --detach              the same in the background; lab down stops them
  lab up --nodes 5             five of them
  lab up --groups 3 --shards 64   a sharded store on machines m1, m2, m3: see lab shard status
  lab up --tls                 with certificates, which commands in this folder know of
  lab kv put greeting hello    no address needed: lab finds the cluster of this folder`

const DOWN_EXAMPLES = `
  lab down                     stop the servers; lab up starts them again with their data
  lab down --wipe              and remove their data`

const DEFAULT_NODES = 3
const DEFAULT_SHARDS = 64

export function addLocalCommands(program: Command, io: Io): void {
  withExamples(program.command('up').description('start a cluster on this machine'), UP_EXAMPLES)
    .addOption(new Option('--nodes <count>', 'how many servers (default: 3)').argParser(parseCount))
    .addOption(
      new Option('--transport <name>', 'that they speak')
        .choices(['tcp', 'websocket'])
        .default('tcp' as const),
    )
    .addOption(
      new Option('--groups <count>', 'a sharded store of so many groups of three').argParser(parseCount),
    )
    .addOption(
      new Option('--shards <count>', 'how many shards, for good (default: 64)').argParser(parseCount),
    )
    .addOption(new Option('--tls', 'encrypted, with an authority and certificates of its own'))
    .addOption(new Option('--detach', 'leave them running in the background'))
    .action((flags: UpFlags) => up(flags, io))
  withExamples(program.command('down').description('stop the cluster on this machine'), DOWN_EXAMPLES)
    .addOption(new Option('--wipe', 'remove its data too'))
    .action((flags: { readonly wipe?: boolean }) => down(flags.wipe === true, io))
}

async function up(flags: UpFlags, io: Io): Promise<void> {
  const { detach = false } = flags
  const existing = findLabFolder(io.cwd)
  const labFolder = existing ?? join(io.cwd, LAB_FOLDER)
  const plan =
    existing === null ? await newPlan(labFolder, flags) : sameKind(readClusterFile(labFolder), flags)
  const servers = await startCluster(labFolder, plan, { detached: detach })
  await io.out(describeCluster(plan, relative(io.cwd, labFolder) || '.', detach))
  if (!detach) await serveUntilStopped(servers, io)
}

async function newPlan(labFolder: string, flags: UpFlags): Promise<ClusterPlan> {
  const { nodes: count = DEFAULT_NODES, transport, groups, shards = DEFAULT_SHARDS, tls = false } = flags
  if (groups !== undefined) {
    const machines = await planCluster(labFolder, { count, transport, letter: 'm', tls })
    return shardedPlan(labFolder, machines, { groups, shards })
  }
  if (flags.shards !== undefined) throw usage('--shards goes with --groups: lab up --groups 3 --shards 64')
  const plan = await planCluster(labFolder, { count, transport, tls })
  return tls ? filePlan(labFolder, plan) : plan
}

/** The data of a cluster know its members and their addresses: others would be another cluster. */
function sameKind(plan: ClusterPlan, { nodes, tls = false }: UpFlags): ClusterPlan {
  const count = Object.keys(plan.nodes).length
  if (tls && !isSecure(plan))
    throw usage('the cluster here was made without --tls: lab down --wipe removes it')
  if (nodes === undefined || nodes === count) return plan
  throw usage(`the cluster here has ${count} servers, not ${nodes}: lab down --wipe removes it`)
}

function describeCluster(plan: ClusterPlan, labFolder: string, detached: boolean): string {
  const servers = Object.entries(membersOf(plan)).map(([id, address]) => `  ${id}  ${address}\n`)
  const end = detached ? 'lab down stops it' : 'Ctrl-C stops it'
  return `${servers.length} servers, data in ${labFolder}; ${end}, the data stay
${servers.join('')}
  npx lab kv put greeting hello
  npx lab kv get greeting
  npx lab ${isSharded(plan) ? 'shard' : 'cluster'} status
`
}

function isSharded({ config }: ClusterPlan): boolean {
  return config !== undefined && readConfigFile(config, CLIENT_ID).controller !== undefined
}

async function serveUntilStopped(servers: readonly ServerProcess[], io: Io): Promise<void> {
  let stopping = false
  const stop = (): void => {
    stopping = true
    for (const server of servers) server.kill('SIGTERM')
  }
  if (io.signal.aborted) stop()
  else io.signal.addEventListener('abort', stop)
  await Promise.all(
    servers.map(async ({ id, exited }) => {
      const how = await exited
      if (!stopping && how !== 'exit code 0') io.talk(`${id} has ended: ${how}`)
    }),
  )
}

async function down(wipe: boolean, io: Io): Promise<void> {
  const labFolder = findLabFolder(io.cwd)
  if (labFolder === null) throw new CliError('FAILED', 'there is no cluster here: lab up starts one')
  const stopped = await stopCluster(readClusterFile(labFolder))
  if (wipe) wipeCluster(labFolder)
  const what = stopped.length === 0 ? 'nothing ran' : `stopped ${stopped.join(' ')}`
  io.talk(`${what}${wipe ? '; the data are gone' : '; the data stay'}`)
}
