/**
 * A backup of a whole sharded store: a folder with a file for the controller and one for each group, each as `lab cluster backup` of
 * that group writes it, and `backup.json`, which says what belongs together.
 */
import { createReadStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readBackup, type Backup, type RaftClient } from '@lab/raft'
import { ReplicatedMachine } from '@lab/raft/rsm'
import { toError } from '@lab/rpc'
import { Controller, controllerCodecs } from '@lab/shardctrler'
import { CliError } from '../errors.ts'
import { list, mapOf, record, text, wholeNumber, type Reader } from '../server/shapes.ts'

/** One Raft group's part. */
export interface BackupPart {
  /** Within the folder. */
  readonly file: string
  /** The last entry that is in it. */
  readonly index: number
  readonly bytes: number
  /** ISO 8601: it holds every write acknowledged before `begun`, and none begun after `ended`. */
  readonly begun: string
  readonly ended: string
}

export interface BackupManifest {
  readonly format: number
  /** The cluster id. */
  readonly cluster: string
  /** Number of the configuration that the controller and every group stood at. */
  readonly configuration: number
  /** How many there are. */
  readonly shards: number
  readonly controller: BackupPart
  /** By group number. */
  readonly groups: Readonly<Record<string, BackupPart>>
  /** For people: what is not of one moment. */
  readonly consistency: readonly string[]
}

export const MANIFEST = 'backup.json'
export const FORMAT = 1

const count = wholeNumber(0, Number.MAX_SAFE_INTEGER)
const part = record<BackupPart>({ file: text, index: count, bytes: count, begun: text, ended: text })
const manifest: Reader<BackupManifest> = record<BackupManifest>({
  format: wholeNumber(FORMAT, FORMAT),
  cluster: text,
  configuration: count,
  shards: count,
  controller: part,
  groups: mapOf(text, part),
  consistency: list(text),
})

/** @throws {CliError} `FAILED` when the folder holds no whole backup */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const path = join(folder, MANIFEST)
  try {
    return manifest(JSON.parse(await readFile(path, 'utf8')), path)
  } catch (cause) {
    throw new CliError('FAILED', `${folder} holds no whole backup: ${toError(cause).message}`, { cause })
  }
}

/** Writes what the group gives, durably. @returns its part of the manifest */
export async function writePart(
  folder: string,
  file: string,
  client: RaftClient,
  signal: AbortSignal,
): Promise<BackupPart> {
  const begun = new Date().toISOString()
  const handle = await open(join(folder, file), 'w')
  try {
    for await (const chunk of client.backup({ signal })) await handle.write(chunk)
    await handle.sync()
  } finally {
    await handle.close()
  }
  const ended = new Date().toISOString()
  const { header } = await openPart(folder, file)
  return { file, index: header.meta.index, bytes: header.size, begun, ended }
}

/** @throws {StorageError} `CORRUPT`, also while its state is drawn */
export function openPart(folder: string, file: string): Promise<Backup> {
  return readBackup(createReadStream(join(folder, file)))
}

/** The controller out of its part, and its bytes as of now: whatever it was told to apply meanwhile. @throws {ProtocolError} */
export async function readController({ state }: Pick<Backup, 'state'>): Promise<{
  readonly controller: Controller
  readonly snapshot: () => AsyncIterable<Uint8Array>
}> {
  const controller = new Controller()
  const machine = new ReplicatedMachine({ machine: controller, ...controllerCodecs })
  await machine.restore(state)
  return { controller, snapshot: () => machine.snapshot() }
}
