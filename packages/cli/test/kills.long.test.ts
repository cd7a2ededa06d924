/**
 * Three real servers on real disks under load, killed and frozen over and over. What clients saw must have an explanation, every
 * acknowledged write must be there, once; and copies of the folders, damaged in all manners, must be refused with the reason or read
 * back without a lie.
 */
import { cpSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Clerk } from '@lab/kvraft/clerk'
import { RaftError, StorageError } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { seededRandom, sleep, systemClock, type Random } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { History, checkLinearizable, kvModel, type KvOp, type KvResult } from '@lab/sim'
import { expect, test } from 'vitest'
import { freePorts } from '../src/local/ports.ts'
import { startServerProcess, type ServerProcess } from '../src/local/server-process.ts'
import { temporaryFolder } from './folder.ts'

const KILLS = 200
const CLIENTS = 12
/** Each key is used by few calls and then left, so that its history can be judged. */
const CALLS_PER_KEY = 40
const IDS = ['n1', 'n2', 'n3']

class Servers {
  readonly folder = temporaryFolder()
  readonly #members: Readonly<Record<string, string>>
  readonly #running = new Map<string, ServerProcess>()

  constructor(ports: readonly number[]) {
    this.#members = Object.fromEntries(IDS.map((id, at) => [id, `tcp://127.0.0.1:${String(ports[at])}`]))
  }

  get addresses(): string[] {
    return Object.values(this.#members)
  }

  data(id: string): string {
    return join(this.folder, id)
  }

  async start(id: string): Promise<void> {
    const server = startServerProcess({
      id,
      members: this.#members,
      clusterId: 'lab',
      data: this.data(id),
      log: join(this.folder, `${id}.log`),
    })
    this.#running.set(id, server)
    await server.ready
  }

  async kill(id: string): Promise<void> {
    const server = this.#running.get(id)
    server?.kill('SIGKILL')
    await server?.exited
  }

  signal(id: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running.get(id)?.kill(signal)
  }
}

test(
  'two hundred kills and freezes under load lose nothing, repeat nothing and are linearizable',
  { timeout: 1_800_000 },
  async () => {
    const random = seededRandom(2026)
    const servers = new Servers(await freePorts(IDS.length))
    await Promise.all(IDS.map((id) => servers.start(id)))
    const history = new History<KvOp, KvResult>(systemClock)
    const stop = new AbortController()
    const work = Array.from({ length: CLIENTS }, (_, at) =>
      client(`c${String(at)}`, servers, history, seededRandom(at + 1), stop.signal),
    )

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
    stop.abort()
    const appended = await Promise.all(work)

    const clerk = await Clerk.connect({ servers: servers.addresses, transport: tcp() })
    for (const { key, acknowledged, unknown } of appended) {
      const tokens = ((await clerk.getText(key)) ?? '').split(' ').slice(1)
      const count = new Map<string, number>()
      for (const token of tokens) count.set(token, (count.get(token) ?? 0) + 1)
      expect(tokens.length).toBe(count.size)
      for (const token of acknowledged) expect(count.get(token), `${key}: ${token}`).toBe(1)
      for (const token of count.keys()) expect(acknowledged.has(token) || unknown.has(token)).toBe(true)
    }
    await clerk.close()
    await Promise.all(IDS.map((id) => servers.kill(id)))

    const { verdict, operations, keys, counterExample } = checkLinearizable(kvModel, history.operations)
    console.log(
      `${String(KILLS)} kills: ${String(operations)} calls on ${String(keys)} keys ${verdict === 'yes' ? 'linearizable' : verdict}, ` +
        `${String(appended.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0))} appends there once, ${String(damaged)} damaged folders refused with the reason`,
    )
    expect(counterExample).toBe(null)
    expect(verdict).toBe('yes')
    expect(operations).toBeGreaterThan(10 * KILLS)
    expect(damaged).toBeGreaterThan(0)
  },
)

interface Appended {
  readonly key: string
  readonly acknowledged: ReadonlySet<string>
  readonly unknown: ReadonlySet<string>
}

/** Puts and reads shared keys, and appends tokens of its own to one that nobody else touches. */
async function client(
  name: string,
  servers: Servers,
  history: History<KvOp, KvResult>,
  random: Random,
  stop: AbortSignal,
): Promise<Appended> {
  const clerk = await Clerk.connect({ servers: servers.addresses, transport: tcp(), timeout: 5000 })
  const acknowledged = new Set<string>()
  const unknown = new Set<string>()
  for (let call = 0; !stop.aborted; call++) {
    const key = `k${String(Math.floor((call * CLIENTS) / CALLS_PER_KEY))}`
    const value = `${name}.${String(call)}`
    const op: KvOp = random.next() < 0.5 ? { op: 'get', key } : { op: 'put', key, value }
    await history.record(
      name,
      op,
      async () => {
        if (op.op === 'get') return (await clerk.getText(key)) ?? null
        await clerk.put(key, value)
        return null
      },
      outcomeOf,
    )
    if (call % 4 !== 0) continue
    try {
      await clerk.append(`own-${name}`, ` ${value}`)
      acknowledged.add(value)
    } catch (thrown) {
      if (outcomeOf(thrown) === 'unknown') unknown.add(value)
    }
  }
  await clerk.close()
  return { key: `own-${name}`, acknowledged, unknown }
}

function outcomeOf(thrown: unknown): 'fail' | 'unknown' {
  if (thrown instanceof RaftError) return thrown.outcome === 'unknown' ? 'unknown' : 'fail'
  throw thrown
}

/** Opens a copy of a dead server's folder with one file damaged. @returns 1 when it was refused */
async function readDamaged(servers: Servers, id: string, random: Random): Promise<number> {
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
  else if (dice < 0.9) writeFileSync(path, bytes.fill(0, at, at + 4096))
  else rmSync(path)
}
