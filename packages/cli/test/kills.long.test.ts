/**
 * Three real servers on real disks under load, killed and frozen over and over. What clients saw must have an explanation, every
 * acknowledged write must be there, once; and copies of the folders, damaged in all manners, must be refused with the reason or read
 * back without a lie.
 */
import { cpSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StorageError } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { seededRandom, sleep, systemClock, type Random } from '@lab/rpc'
import { expect, test } from 'vitest'
import { freePorts } from '../src/local/ports.ts'
import { clerksOf, expectLinearizable, expectNothingLost, startLoad } from './real-clients.ts'
import { RealServers } from './real-servers.ts'

const KILLS = Number(process.env['LAB_KILLS'] ?? 200)
const SEED = Number(process.env['LAB_SEED'] ?? 2026)
const CLIENTS = 12
const IDS = ['n1', 'n2', 'n3']

test(
  'two hundred kills and freezes (`LAB_KILLS` for another number) under load lose nothing, repeat nothing and are linearizable',
  { timeout: 1_800_000 },
  async () => {
    const random = seededRandom(SEED)
    const ports = await freePorts(IDS.length)
    const servers = new RealServers(Object.fromEntries(IDS.map((id, at) => [id, ports[at] as number])))
    await Promise.all(IDS.map((id) => servers.start(id)))
    const connect = clerksOf(servers.addresses)
    const load = startLoad(CLIENTS, connect, 1)

    let damaged = 0
    for (let kills = 0; kills < KILLS; kills++) {
      await sleep(systemClock, random.integer(50, 400))
      const id = IDS[random.integer(0, IDS.length - 1)] as string
      const dice = random.next()
      if (dice < 0.2) {
        servers.signal(id, 'SIGSTOP')
        await sleep(systemClock, random.integer(100, 1500))
        servers.signal(id, 'SIGCONT')
      }
      const victims = dice > 0.9 ? IDS : [id]
      await Promise.all(victims.map((victim) => servers.kill(victim)))
      if (kills % 10 === 0) damaged += await readDamaged(servers, id, random)
      await Promise.all(victims.map((victim) => servers.start(victim)))
    }
    await sleep(systemClock, 2000)
    const appended = await load.stop()

    await expectNothingLost(connect, appended)
    await servers.killAll()
    console.log(
      `${String(KILLS)} kills: ${expectLinearizable(load.history)}, ` +
        `${String(appended.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0))} appends there once, ${String(damaged)} damaged folders refused with the reason`,
    )
    expect(load.history.operations.length).toBeGreaterThan(10 * KILLS)
    expect(damaged).toBeGreaterThan(0)
  },
)

/** Opens a copy of a dead server's folder with one file damaged. @returns 1 when it was refused */
async function readDamaged(servers: RealServers, id: string, random: Random): Promise<number> {
  const whole = await reads(servers.data(id), id)
  const copy = join(servers.folder, 'copy')
  cpSync(servers.data(id), copy, { recursive: true })
  const names = readdirSync(copy).filter((name) => statSync(join(copy, name)).size > 0)
  const name = names[random.integer(0, names.length - 1)] as string
  damage(join(copy, name), random)
  try {
    const found = await reads(copy, id)
    // What cannot be told from a torn tail is cut off; nothing else may be missing, and nothing may be new.
    expect(found.lastIndex).toBeLessThanOrEqual(whole.lastIndex)
    return 0
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(StorageError)
    expect((thrown as StorageError).code).toMatch(/^(CORRUPT|VERSION)$/)
    expect((thrown as StorageError).message).toContain(copy)
    return 1
  } finally {
    rmSync(copy, { recursive: true })
  }
}

async function reads(folder: string, id: string): Promise<{ readonly lastIndex: number }> {
  const storage = fileStorage(folder)
  try {
    const { firstIndex, lastIndex } = await storage.open({ clusterId: 'lab', nodeId: id })
    for (let next = firstIndex; next <= lastIndex;) {
      const entries = await storage.read(next, lastIndex, 1024 * 1024)
      expect(entries[0]?.index).toBe(next)
      next += entries.length
    }
    return { lastIndex }
  } finally {
    await storage.close()
  }
}

function damage(path: string, random: Random): void {
  const bytes = readFileSync(path)
  const dice = random.next()
  const at = random.integer(0, bytes.length - 1)
  if (dice < 0.6) {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7))
    writeFileSync(path, bytes)
  } else if (dice < 0.75) truncateSync(path, at)
  else if (dice < 0.9) writeFileSync(path, bytes.fill(0, at, Math.min(at + 4096, bytes.length)))
  else rmSync(path)
}
