/**
 * A whole sharded store in one folder, while it serves: every group at one configuration, with nothing on its way between two of them.
 * So each shard is there once, whole. What no backup of independent logs can be is one moment of all of them; it says so.
 */
import { existsSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gidsOf, shardsOf, type Config } from '@lab/shardctrler/clerk'
import { outlineOf } from '@lab/shardkv'
import { CliError } from '../errors.ts'
import { usage } from '../parse.ts'
import type { ShardAdmin } from './admin.ts'
import {
  FORMAT,
  MANIFEST,
  openPart,
  readController,
  writePart,
  type BackupManifest,
  type BackupPart,
} from './backup-folder.ts'

const POLL_MS = 100
const CONTROLLER_GROUP = 0

/**
 * The folder appears under its name when all of it is on disk and was found right.
 *
 * @param talk told when it must begin again, as the configuration changed meanwhile
 * @throws {CliError} `USAGE` when the folder is there already, or there are no groups; `FAILED` when shards go on moving
 */
export async function backupShards(
  admin: ShardAdmin,
  folder: string,
  talk: (line: string) => void,
): Promise<BackupManifest> {
  if (existsSync(folder)) throw usage(`${folder} is there already: a backup begins a folder of its own`)
  const unfinished = `${folder}.unfinished`
  try {
    for (;;) {
      const config = await settledConfig(admin)
      await rm(unfinished, { recursive: true, force: true })
      await mkdir(unfinished, { recursive: true })
      const manifest = await takeAt(admin, config, unfinished)
      if (manifest !== null) {
        await writeDurably(join(unfinished, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
        await rename(unfinished, folder)
        return manifest
      }
      talk(`the configuration changed while configuration ${config.num} was backed up: once more`)
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** Waits until no shard is on its way anywhere. */
async function settledConfig(admin: ShardAdmin): Promise<Config> {
  const deadline = Date.now() + admin.timeout
  for (;;) {
    const config = await admin.controller.query(-1, admin.wait)
    const { finished } = await admin.controller.progress(admin.wait)
    if (gidsOf(config).length === 0) throw usage('no group has joined yet: there is nothing to back up')
    const late = Object.entries(finished).filter(([, num]) => num < config.num)
    if (late.length === 0) return config
    if (Date.now() > deadline)
      throw new CliError(
        'FAILED',
        `shards are on their way: of configuration ${config.num}, group ${late.map(([gid]) => gid).join(', ')} has not finished; wait, or give a longer --timeout`,
      )
    await sleep(POLL_MS, undefined, { signal: admin.signal })
  }
}

/** @returns null when something moved meanwhile */
async function takeAt(admin: ShardAdmin, config: Config, folder: string): Promise<BackupManifest | null> {
  const { cluster, signal } = admin
  const take = (group: number, servers: readonly string[], file: string): Promise<BackupPart> =>
    admin.atGroup(group, servers, (client) => writePart(folder, file, client, signal))
  // First, so that it is never ahead of a group by what it has forgotten.
  const controller = await take(CONTROLLER_GROUP, admin.controllers, 'controller.backup')
  if ((await controllerConfig(folder, controller))?.num !== config.num) return null
  const groups: Record<string, BackupPart> = {}
  for (const gid of gidsOf(config)) {
    const part = await take(gid, config.groups[gid] ?? [], `group-${gid}.backup`)
    if (!(await isWholeAt(folder, part, config, gid))) return null
    groups[gid] = part
  }
  return {
    ...{ format: FORMAT, cluster, configuration: config.num, shards: config.shards.length },
    ...{ controller, groups, consistency: consistencyOf(Object.values(groups)) },
  }
}

async function controllerConfig(folder: string, { file }: BackupPart): Promise<Config | null> {
  const { controller } = await readController(await openPart(folder, file))
  return controller.latest
}

/** Does the group stand at the configuration, with all of its shards and nothing on its way? Reads all of the file. */
export async function isWholeAt(
  folder: string,
  { file }: BackupPart,
  config: Pick<Config, 'num' | 'shards'>,
  gid: number,
): Promise<boolean> {
  const outline = await outlineOf((await openPart(folder, file)).state)
  return (
    outline.config?.num === config.num &&
    outline.moving.length === 0 &&
    outline.serving.join() === shardsOf(config, gid).join()
  )
}

function consistencyOf(parts: readonly BackupPart[]): string[] {
  const [first = '', last = ''] = [
    parts.map(({ begun }) => begun).sort()[0],
    parts
      .map(({ ended }) => ended)
      .sort()
      .at(-1),
  ]
  return [
    'every shard is there once and whole: every write acknowledged before the backup began, each transaction whole or not at all',
    `groups are of moments of their own, between ${first} and ${last}: of writes to shards of different groups in that time, a later one may be there and an earlier one not`,
  ]
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
