/** `lab cluster backup | restore | recover`: the state in a file, a cluster from a file, and a cluster from one server that is left. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  inspectStorage,
  readBackup,
  recoverStorage,
  restoreBackup,
  type Backup,
  type RecoveryReport,
} from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { Option, type Command } from 'commander'
import {
  DEFAULT_CLUSTER_ID,
  addClientOptions,
  addGroupOption,
  connectClient,
  findCluster,
  type ClientFlags,
} from '../client.ts'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRow, formatRows, type Format } from '../output.ts'
import { parseMembers, usage } from '../parse.ts'
import { readConfigFile } from '../server/config-file.ts'
import { ShardAdmin } from '../shards/admin.ts'
import { backupShards } from '../shards/backup.ts'
import { restoreMachine } from '../shards/restore.ts'

interface BackupFlags extends ClientFlags {
  readonly output: Format
}

interface FolderFlags {
  readonly id: string
  readonly data: string
  readonly clusterId?: string
  readonly members?: string
  readonly config?: string
  readonly yes?: boolean
  readonly output: Format
}

const BACKUP_EXAMPLES = `
  lab cluster backup kv.backup                         of the cluster that lab up started here
  lab cluster backup kv.backup --servers 10.0.0.1:7000 of another; it goes on serving meanwhile
  lab cluster backup monday --config lab.json          of a sharded store: the controller and all groups, in a folder
  lab cluster backup 103.backup --group 103            of a sharded store, one group alone`

const RESTORE_EXAMPLES = `
  lab cluster restore kv.backup --cluster-id prod2 --id n1 --data ./new/n1 \\
    --members n1=tcp://localhost:7001,n2=tcp://localhost:7002,n3=tcp://localhost:7003
                 once for each server, with its own --id and --data, before the first is started

  lab cluster restore monday --config new.json --id m1 --data ./new/m1
                 of a sharded store: once for each machine of the new cluster file`

const RECOVER_EXAMPLES = `
  lab cluster recover --id n2 --data ./data/n2         says what it would do, and what may be lost
  lab cluster recover --id n2 --data ./data/n2 --yes   does it: n2 is the whole cluster from now on`

export function addRecoveryCommands(cluster: Command, io: Io): void {
  const backup = cluster
    .command('backup <file>')
    .description('the whole state of a running cluster, in one file; of a sharded store, in a folder')
  withExamples(addOutputOption(addGroupOption(addClientOptions(backup))), BACKUP_EXAMPLES).action(
    (file: string, flags: BackupFlags) => takeBackup(resolve(io.cwd, file), flags, io),
  )
  const restore = cluster
    .command('restore <file>')
    .description("one server's empty folder, as the beginning of a new cluster with that state")
  addFolderOptions(restore)
    .addOption(new Option('--members <list>', 'ID=ADDRESS,… of the whole new cluster'))
    .addOption(new Option('--config <file>', "the new cluster's file, instead of --members"))
  withExamples(restore, RESTORE_EXAMPLES).action((file: string, flags: FolderFlags) =>
    restoreFolder(resolve(io.cwd, file), flags, io),
  )
  const recover = cluster
    .command('recover')
    .description('a cluster from one stopped server, when a majority is gone for good')
    .option('--yes', 'do it; without, nothing is changed')
  addFolderOptions(recover).addOption(
    new Option('--members <list>', 'ID=ADDRESS,… of the cluster from now on (default: this server alone)'),
  )
  withExamples(recover, RECOVER_EXAMPLES).action((flags: FolderFlags) => recoverFolder(flags, io))
}

function addFolderOptions(command: Command): Command {
  return addOutputOption(
    command
      .addOption(new Option('--id <name>', "the server's name").env('LAB_ID').makeOptionMandatory())
      .addOption(new Option('--data <folder>', 'its data folder').env('LAB_DATA').makeOptionMandatory())
      .addOption(
        new Option(
          '--cluster-id <name>',
          'the name of its cluster (default: the cluster file\'s, or "lab")',
        ).env('LAB_CLUSTER_ID'),
      ),
  )
}

async function takeBackup(path: string, flags: BackupFlags, io: Io): Promise<void> {
  const isWhole = flags.group === undefined && findCluster(flags, io.cwd).shards !== null
  await (isWhole ? takeShards(path, flags, io) : takeGroup(path, flags, io))
}

async function takeShards(path: string, flags: BackupFlags, io: Io): Promise<void> {
  const admin = await ShardAdmin.connect(flags, io)
  try {
    const manifest = await backupShards(admin, path, (line) => io.talk(line))
    const parts = [['controller', manifest.controller] as const, ...Object.entries(manifest.groups)]
    const rows = parts.map(([group, { file, index, bytes }]) => ({
      group,
      index,
      bytes,
      file: join(path, file),
    }))
    await io.out(formatRows(rows, flags.output))
    io.talk(
      `${path}: ${manifest.shards} shards of cluster ${manifest.cluster} at configuration ${manifest.configuration}`,
    )
    for (const line of manifest.consistency) io.talk(`  - ${line}`)
  } finally {
    await admin.close()
  }
}

/** The file appears under its name when all of it is on disk and its checksum was found right. */
async function takeGroup(path: string, flags: BackupFlags, io: Io): Promise<void> {
  if (existsSync(path))
    throw usage(
      `${path} is there already, and may be the only good backup: give another name, or remove it first`,
    )
  const client = await connectClient(flags, io)
  const unfinished = `${path}.unfinished`
  try {
    const file = await open(unfinished, 'w')
    try {
      for await (const chunk of client.backup({ signal: io.signal })) await file.write(chunk)
      await file.sync()
    } finally {
      await file.close()
    }
    const { header, state } = await openBackup(unfinished)
    for await (const _ of state);
    await rename(unfinished, path)
    const { index, term } = header.meta
    const row = { file: path, cluster: header.clusterId, index, term, bytes: header.size }
    const sentence = `${path}: the state of cluster ${header.clusterId} up to entry ${String(index)}, ${String(header.size)} bytes`
    await io.out(formatRow(row, flags.output, sentence))
  } finally {
    await rm(unfinished, { force: true })
    await client.close()
  }
}

async function restoreFolder(path: string, flags: FolderFlags, io: Io): Promise<void> {
  const { id, data, config, output } = flags
  const file = config === undefined ? {} : readConfigFile(config, id)
  const clusterId = flags.clusterId ?? file.cluster ?? DEFAULT_CLUSTER_ID
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    if (config === undefined)
      throw usage(`${path} is of a sharded store: give --config, the new cluster's file`)
    const groups = await restoreMachine({ folder: path, id, data, clusterId, file })
    const has = groups.map((group) => (group === 0 ? 'controller' : `group ${group}`)).join(', ')
    const sentence =
      has === ''
        ? `${id} is a spare: it begins with an empty folder`
        : `${data}: ${id} of cluster ${clusterId}, with ${has}; start it with the same --config`
    await io.out(formatRow({ id, data, cluster: clusterId, groups }, output, sentence))
    return
  }
  const backup = await openBackup(path)
  if (clusterId === backup.header.clusterId)
    throw usage(
      `--cluster-id must be another than ${clusterId}, where the backup is from: servers of the old cluster must not meet the new one`,
    )
  const members = flags.members === undefined ? file.nodes : membersOf(flags.members)
  if (members === undefined)
    throw usage('who is the new cluster? Give --members ID=ADDRESS,… or --config FILE')
  await restoreBackup(fileStorage(data), backup, { clusterId, nodeId: id, members })
  const { index } = backup.header.meta
  const row = { id, data, cluster: clusterId, index, members: Object.keys(members) }
  const sentence = `${data}: ${id} of cluster ${clusterId}, with the state up to entry ${String(index)}; start it with the same --id, --members and --cluster-id`
  await io.out(formatRow(row, output, sentence))
}

async function recoverFolder(flags: FolderFlags, io: Io): Promise<void> {
  const { id, data, clusterId = DEFAULT_CLUSTER_ID, output, yes = false } = flags
  const members = flags.members === undefined ? undefined : membersOf(flags.members)
  const owner = { clusterId, nodeId: id }
  const report = await inspectStorage(fileStorage(data), owner, members)
  for (const line of explain(report)) io.talk(line)
  if (!yes) throw new CliError('FAILED', 'nothing was changed: give --yes to go on')
  await recoverStorage(fileStorage(data), owner, members)
  const { lastIndex, lastTerm, forced } = report
  const row = { id, data, lastIndex, lastTerm, members: forced.voters }
  await io.out(
    formatRow(row, output, `${data}: the cluster is ${forced.voters.join(', ')} from now on; start ${id}`),
  )
}

function explain(report: RecoveryReport): string[] {
  const { nodeId, lastIndex, lastTerm, snapshotIndex, membership, forced, risks } = report
  return [
    `${nodeId} has the log up to entry ${String(lastIndex)} of term ${String(lastTerm)}, and a snapshot up to ${String(snapshotIndex)}`,
    `its cluster is ${membership.voters.join(', ')}; it would be ${forced.voters.join(', ')}`,
    'compare the last term, then the last entry, of every server that is left: recover the one that is furthest',
    ...risks.map((risk) => `  - ${risk}`),
  ]
}

function membersOf(list: string): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(parseMembers(list)).map(([id, address]) => [
      id,
      [/^[a-z]+:\/\//.test(address) ? address : `tcp://${address}`],
    ]),
  )
}

function openBackup(path: string): Promise<Backup> {
  return readBackup(createReadStream(path))
}
