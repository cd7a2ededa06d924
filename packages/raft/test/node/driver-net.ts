/** Drivers joined by a function instead of a network: everything of a server but RPC. */
import { seededRandom, sleep, type Random } from '@lab/rpc'
import { ManualClock } from '@lab/rpc/testing'
import { bootstrapMembership } from '../../src/bootstrap.ts'
import { Raft } from '../../src/core/raft.ts'
import type { Change } from '../../src/core/ready.ts'
import { Driver } from '../../src/driver/driver.ts'
import type { RaftError } from '../../src/errors.ts'
import { encodePlain } from '../../src/rsm/envelope.ts'
import { ReplicatedMachine } from '../../src/rsm/replicated-machine.ts'
import { decodeReply, resultOf } from '../../src/rsm/reply.ts'
import { stateMachine, type JsonStateMachine } from '../../src/shorthand.ts'
import { memoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { decodeMessage, encodeMessage } from '../../src/wire.ts'

type Log = JsonStateMachine<{ items: string[] }, string, number, never, unknown>

export const json = {
  encode: (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes)),
}

/** One server. */
export interface Member {
  readonly id: string
  readonly storage: MemoryStorage
  driver: Driver
  machine: Log
  readonly changes: Change[]
  readonly failures: RaftError[]
  up: boolean
}

export class DriverNet {
  readonly clock = new ManualClock()
  readonly random: Random
  readonly members = new Map<string, Member>()
  readonly cut = new Set<string>()
  /** Their disks finish no write until they are taken out again. */
  readonly stuck = new Set<string>()
  /** Servers that are started give way, as if others started, too. */
  givingWay = false
  /** How much longer a write takes for each entry in it. */
  entryMs = 0
  writeBytesMax = 1e6
  /** How long each write takes; set before the start. */
  readonly syncMs = new Map<string, readonly [number, number]>()
  readonly #ids: readonly string[]
  readonly #limits: { snapshotEveryBytes: number; trailingBytes: number; proposalsMax?: number }

  constructor(
    ids: readonly string[],
    options: {
      seed?: number
      snapshotEveryBytes?: number
      trailingBytes?: number
      proposalsMax?: number
    } = {},
  ) {
    const { seed = 1, snapshotEveryBytes = Infinity, trailingBytes = 0, proposalsMax = 1000 } = options
    this.#ids = ids
    this.random = seededRandom(seed)
    this.#limits = { snapshotEveryBytes, trailingBytes, proposalsMax }
  }

  async startAll(): Promise<void> {
    for (const id of this.#ids) await this.start(id)
  }

  /** @param restoreMs how long the disk takes to open the snapshot that the server begins with: it is not waited for */
  async start(id: string, { restoreMs = 0 } = {}): Promise<Member> {
    const storage =
      this.members.get(id)?.storage ??
      memoryStorage({ clock: this.clock, random: this.random, syncMs: this.syncMs.get(id) ?? [0.5, 2] })
    const recovered = await this.clock.settle(storage.open({ clusterId: 'c', nodeId: id }))
    const machine = stateMachine<{ items: string[] }, string, number>({
      initial: { items: [] },
      apply: (state, item) => state.items.push(item),
    })
    const rsm = new ReplicatedMachine({
      machine,
      codec: json,
      resultCodec: json,
      queryCodec: json,
      answerCodec: json,
    })
    const members = Object.fromEntries(this.#ids.map((member) => [member, [`memory://${member}`]]))
    const core = new Raft({
      ...recovered,
      id,
      random: () => this.random.next(),
      bootstrap: bootstrapMembership(members),
      now: this.clock.now(),
      timing: { heartbeatMs: 50, electionTimeoutMsMin: 200, electionTimeoutMsMax: 400 },
      limits: { writeBytesMax: this.writeBytesMax },
    })
    const changes: Change[] = []
    const failures: RaftError[] = []
    let opened = 0
    const openSnapshot = async (): ReturnType<typeof storage.openSnapshot> => {
      if (opened++ === 0 && restoreMs > 0) await sleep(this.clock, restoreMs)
      return storage.openSnapshot()
    }
    const write = async (work: Parameters<typeof storage.write>[0]): Promise<void> => {
      while (this.stuck.has(id)) await sleep(this.clock, 10)
      if (this.entryMs > 0) await sleep(this.clock, work.entries.length * this.entryMs)
      await storage.write(work)
    }
    const driver = new Driver({
      core,
      clock: this.clock,
      storage: new Proxy(storage, {
        get: (target, name): unknown => {
          if (name === 'openSnapshot') return openSnapshot
          if (name === 'write') return write
          const value: unknown = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
      machine: rsm,
      limits: {
        ...this.#limits,
        proposalsMax: this.#limits.proposalsMax ?? 1000,
        proposalBytesMax: 1e6,
        proposalWaitMs: 1000,
        stallMs: 25,
      },
      trace: null,
      send: (envelopes) => {
        for (const { to, message } of envelopes) this.#deliver(id, to, encodeMessage(message).slice())
      },
      sendingSnapshot: () => false,
      precedence: { atWork: false, givesWay: this.givingWay, restPerSlice: () => 0 },
      whenDue: (act) => act(),
      observer: {
        changed: (change) => changes.push(change),
        applied: () => {},
        stalled: () => {},
        tookSnapshot: () => {},
        failed: (error) => failures.push(error),
      },
    })
    const member: Member = { id, storage, driver, machine, changes, failures, up: true }
    this.members.set(id, member)
    const begun = driver.start()
    if (restoreMs === 0) await this.clock.settle(begun)
    return member
  }

  /** As SIGKILL: nothing of it is finished. */
  async crash(id: string): Promise<void> {
    const member = this.member(id)
    member.up = false
    member.storage.crash()
    await this.clock.settle(
      member.driver
        .stop(() => {
          throw new Error('unused')
        })
        .catch(() => undefined),
    )
  }

  member(id: string): Member {
    const member = this.members.get(id)
    if (member === undefined) throw new Error(`no ${id}`)
    return member
  }

  get all(): Member[] {
    return [...this.members.values()]
  }

  async leader(among: readonly string[] = this.#ids): Promise<Member> {
    let found: Member | undefined
    await this.clock.run(
      () => {
        found = this.all.find(
          ({ id, up, driver }) => up && among.includes(id) && driver.status.role === 'leader',
        )
        return found !== undefined
      },
      { limitMs: 10_000 },
    )
    return found as Member
  }

  async propose(member: Member, item: string): Promise<number> {
    const reply = await member.driver.propose(encodePlain(json.encode(item)))
    return resultOf(decodeReply(reply), json) as number
  }

  #deliver(from: string, to: string, bytes: Uint8Array): void {
    this.clock.setTimer(0.2 + this.random.next(), () => {
      const target = this.members.get(to)
      if (target?.up !== true || this.cut.has(from) || this.cut.has(to)) return
      target.driver.input({ type: 'message', from, message: decodeMessage(bytes) })
    })
  }
}
