/** One machine's empty folder, as the beginning of a new sharded store with the state of a backup. */
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from '@lab/raft/rsm'
import { restoreBackup, type Backup } from '@lab/raft'
import { fileHostStorage } from '@lab/raft/storage/file'
import { assert } from '@lab/rpc'
import { CliError } from '../errors.ts'
import { usage } from '../parse.ts'
import type { ConfigFile } from '../server/config-file.ts'
import { isWholeAt } from './backup.ts'
import { openPart, readController, readManifest, type BackupManifest } from './backup-folder.ts'

const CONTROLLER_GROUP = 0

export interface Restoring {
  readonly folder: string
  readonly id: string
  readonly data: string
  readonly clusterId: string
  /** The new cluster's file, the same for all machines. */
  readonly file: ConfigFile
}

/** A cluster file that has what a sharded store needs. */
interface Places {
  readonly nodes: Readonly<Record<string, readonly string[]>>
  readonly controller: readonly string[]
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/**
 * To be done once for each machine of the new cluster, before the first starts. What the controller knows of the groups' addresses
 * is replaced by what the file says.
 *
 * @returns the groups that have a replica here now, the controller as 0; none for a spare, whose folder stays as it is
 * @throws {CliError} `USAGE` when folder, file and backup do not fit each other; `FAILED` when the backup is not whole
 * @throws {StorageError} `CORRUPT`
 */
export async function restoreMachine(restoring: Restoring): Promise<number[]> {
  const { folder, id, data, clusterId, file } = restoring
  const manifest = await readManifest(folder)
  const places = placesOf(file, manifest)
  if (clusterId === manifest.cluster)
    throw usage(
      `the new cluster's id must be another than ${clusterId}, where the backup is from: machines of the old cluster must not meet the new one`,
    )
  if (!(id in places.nodes))
    throw usage(`--id is ${id}, but nodes are ${Object.keys(places.nodes).join(', ')}`)
  if (existsSync(data) && readdirSync(data).length > 0)
    throw usage(`${data} holds data already: restore into an empty folder`)
  const state = await readController(await openPart(folder, manifest.controller.file))
  const { latest } = state.controller
  if (latest?.num !== manifest.configuration)
    throw new CliError(
      'FAILED',
      `${manifest.controller.file} is of another configuration than ${manifest.configuration}`,
    )
  const gids = Object.keys(places.groups)
    .map(Number)
    .filter((gid) => places.groups[gid]?.includes(id))
  for (const gid of gids) {
    const part = manifest.groups[gid]
    if (part === undefined || !(await isWholeAt(folder, part, latest, gid)))
      throw new CliError(
        'FAILED',
        `group ${gid} of the backup is not whole, or not of configuration ${latest.num}`,
      )
  }
  for (const [gid, ids] of Object.entries(places.groups)) {
    const servers = ids.flatMap((node) => places.nodes[node] ?? [])
    const { status } = state.controller.apply({ op: 'relocate', gid: Number(gid), servers })
    assert(status === 'done', 'a group of the configuration has another place')
  }
  const parts = new Map<number, () => Promise<Backup>>()
  if (places.controller.includes(id)) {
    const { header } = await openPart(folder, manifest.controller.file)
    parts.set(CONTROLLER_GROUP, () => backupOf(header, state.snapshot()))
  }
  for (const gid of gids) parts.set(gid, () => openPart(folder, manifest.groups[gid]?.file ?? ''))
  if (parts.size > 0) await writeFolder(restoring, places, parts)
  return [...parts.keys()]
}

/** @throws {CliError} `USAGE` when the file describes another store than the backup is of */
function placesOf({ nodes, controller, groups = {}, shards }: ConfigFile, manifest: BackupManifest): Places {
  if (nodes === undefined || controller === undefined)
    throw usage('the backup is of a sharded store: --config needs nodes, controller and groups')
  if (shards !== undefined && shards !== manifest.shards)
    throw usage(`the backup has ${manifest.shards} shards, the file says ${shards}: their number is for good`)
  const [here, there] = [Object.keys(groups), Object.keys(manifest.groups)]
  if (here.sort().join() !== there.sort().join())
    throw usage(
      `the backup has the groups ${there.join(', ')}, the file ${here.join(', ') || 'none'}: each needs a place`,
    )
  return { nodes, controller, groups }
}

/** Under another name first: a folder that is half restored must not be taken for a machine that never had anything. */
async function writeFolder(
  { id, data, clusterId }: Restoring,
  { nodes, controller, groups }: Places,
  parts: ReadonlyMap<number, () => Promise<Backup>>,
): Promise<void> {
  const unfinished = `${data}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(dirname(data), { recursive: true })
  const storage = fileHostStorage(unfinished)
  try {
    await storage.open({ clusterId, nodeId: id })
    for (const [group, openBackup] of parts) {
      const ids = group === CONTROLLER_GROUP ? controller : (groups[group] ?? [])
      const members = Object.fromEntries(ids.map((member) => [member, nodes[member] ?? []]))
      await restoreBackup(storage.group(group), await openBackup(), { clusterId, nodeId: id, members })
    }
    await storage.close()
    if (existsSync(data)) await rmdir(data)
    await rename(unfinished, data)
  } finally {
    await storage.close()
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** The same place in the log, with another state. */
async function backupOf(header: Backup['header'], state: AsyncIterable<Uint8Array>): Promise<Backup> {
  const chunks: Uint8Array[] = []
  let size = 0
  let crc = 0
  for await (const chunk of state) {
    chunks.push(chunk.slice())
    size += chunk.length
    crc = crc32(chunk, 0, chunk.length, crc)
  }
  async function* again(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* chunks
    return Promise.resolve()
  }
  return { header: { ...header, size, crc }, state: again() }
}
