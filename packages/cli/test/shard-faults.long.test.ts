/**
 * Four real machines on real disks, with a controller of three and groups of three, under load for ten minutes
 * (`LAB_PROCESS_SECONDS` for another time): groups join and leave and shards are moved, while processes are killed, stopped and
 * continued. What clients saw must have an explanation, and every acknowledged write must be there, once.
 */
import { seededRandom, sleep, systemClock, type Random } from '@lab/rpc'
import { expect, test } from 'vitest'
import { expectLinearizable, expectNothingLost, shardClerksOf, startLoad } from './real-clients.ts'
import { GROUPS, MACHINES, RealMachines } from './real-machines.ts'
import type { RealServers } from './real-servers.ts'

const SECONDS = Number(process.env['LAB_PROCESS_SECONDS'] ?? 600)
const SEED = Number(process.env['LAB_SEED'] ?? 2026)
const CLIENTS = 8
const SHARDS = 16
/** Within this an operator's command that is given again and again must come to its end, once nothing fails any more. */
const PATIENCE_MS = 60_000

test(
  'four machines, killed and stopped while groups join and leave: linearizable, nothing lost, nothing done twice, no hang',
  { timeout: (SECONDS + 300) * 1000 },
  async () => {
    const random = seededRandom(SEED)
    const machines = await RealMachines.start({ shards: SHARDS })
    const { servers } = machines
    const connect = shardClerksOf(machines.controllers)
    const load = startLoad(CLIENTS, connect, SEED + 1)
    const calm = new AbortController()
    const operator = new Operator(machines, seededRandom(SEED + 100), calm.signal)
    const changes = operator.work()
    let faults = 0
    for (const end = Date.now() + SECONDS * 1000; Date.now() < end; faults++) {
      await pause(random, 100, 1500)
      await (random.next() < 0.6 ? kill : stop)(servers, random)
    }
    calm.abort()
    const changed = await changes
    await sleep(systemClock, 2000)
    const appended = await load.stop()
    await expectNothingLost(connect, appended)
    await operator.expectSettled()
    const acknowledged = appended.reduce((sum, one) => sum + one.acknowledged.size, 0)
    await servers.killAll()
    console.log(
      `Passed ${String(faults)} faults on four machines in ${String(SECONDS)} s: ${expectLinearizable(load.history)}, ` +
        `${String(acknowledged)} appends there once, ${changed}`,
    )
    expect(acknowledged).toBeGreaterThan(SECONDS)
  },
)

/** One machine and sometimes two, so that groups lose their majority for a moment; seldom all. */
async function kill(servers: RealServers, random: Random): Promise<void> {
  const dice = random.next()
  const victims = shuffled(random).slice(0, dice < 0.1 ? MACHINES.length : dice < 0.3 ? 2 : 1)
  await Promise.all(victims.map((id) => servers.kill(id)))
  await pause(random, 10, 1500)
  await Promise.all(victims.map((id) => servers.start(id)))
}

async function stop(servers: RealServers, random: Random): Promise<void> {
  const victims = shuffled(random).slice(0, random.integer(1, 2))
  for (const id of victims) servers.signal(id, 'SIGSTOP')
  await pause(random, 100, 3000)
  for (const id of victims) servers.signal(id, 'SIGCONT')
}

/** Has groups join and leave and shards move, each command given again until it says that it is done. */
class Operator {
  readonly #machines: RealMachines
  readonly #random: Random
  readonly #calm: AbortSignal
  readonly #groups = new Set(Object.keys(GROUPS))
  /** A group's number is used once. */
  #next = 103

  constructor(machines: RealMachines, random: Random, calm: AbortSignal) {
    this.#machines = machines
    this.#random = random
    this.#calm = calm
  }

  /** Until it is calm. @returns in words, what was done */
  async work(): Promise<string> {
    const done = { join: 0, leave: 0, move: 0 }
    while (!this.#calm.aborted) {
      await pause(this.#random, 0, 1000)
      const count = this.#groups.size
      const dice = this.#random.next()
      const what = dice < 0.3 ? 'move' : count < 2 || (count < 4 && dice < 0.65) ? 'join' : 'leave'
      await this[what]()
      done[what]++
    }
    return `${String(done.join)} groups joined, ${String(done.leave)} left, ${String(done.move)} shards moved by hand`
  }

  async join(): Promise<void> {
    const gid = String(this.#next++)
    await this.#untilDone('shard', 'join', gid, '--on', shuffled(this.#random).slice(0, 3).join())
    this.#groups.add(gid)
  }

  async leave(): Promise<void> {
    const gid = this.#any()
    await this.#untilDone('shard', 'leave', gid)
    this.#groups.delete(gid)
  }

  async move(): Promise<void> {
    await this.#untilDone('shard', 'move', String(this.#random.integer(0, SHARDS - 1)), this.#any())
  }

  /** Every shard is served by the group that the configuration names, and no group is left over on any machine. */
  async expectSettled(): Promise<void> {
    await expect
      .poll(
        async () => {
          const { out } = await this.#machines.lab('shard', 'status', '-o', 'json')
          return (JSON.parse(out) as { readonly state: string }[]).map(({ state }) => state)
        },
        { timeout: PATIENCE_MS },
      )
      .toEqual(Array.from({ length: SHARDS }, () => 'serving'))
  }

  #any(): string {
    return [...this.#groups][this.#random.integer(0, this.#groups.size - 1)] as string
  }

  async #untilDone(...argv: readonly string[]): Promise<void> {
    let deadline = Infinity
    for (;;) {
      const { code, talk } = await this.#machines.lab(...argv, '--timeout', '5s')
      if (code === 0) return
      if (this.#calm.aborted) deadline = Math.min(deadline, Date.now() + PATIENCE_MS)
      if (Date.now() > deadline) throw new Error(`lab ${argv.join(' ')} does not come to an end: ${talk}`)
      await sleep(systemClock, 100)
    }
  }
}

function shuffled(random: Random): string[] {
  const left = [...MACHINES]
  return MACHINES.map(() => left.splice(random.integer(0, left.length - 1), 1)[0] as string)
}

function pause(random: Random, msMin: number, msMax: number): Promise<void> {
  return sleep(systemClock, random.integer(msMin, msMax))
}
