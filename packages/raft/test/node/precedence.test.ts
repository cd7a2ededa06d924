/** Servers that start together on one machine: who comes first, who gives way, and who is answered meanwhile. */
import { ByteWriter, seededRandom, type Clock } from '@lab/rpc'
import { MemoryNetwork, memory } from '@lab/rpc/memory'
import { ManualClock } from '@lab/rpc/testing'
import { expect, test } from 'vitest'
import { bootstrapMembership } from '../../src/bootstrap.ts'
import { decodeGreetings, encodeGreetings } from '../../src/driver/greeting.ts'
import { Precedence, type Place } from '../../src/driver/precedence.ts'
import { RaftClient, RaftNode, type ClientReadOptions, type StateMachine } from '../../src/index.ts'
import { memoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { Processor } from './processor.ts'

const HERE = { n1: ['tcp://box:1'], n2: ['tcp://box:2', 'ws://other:2'], n3: ['ws://box:3/raft'] }

interface Begun {
  readonly members?: Readonly<Record<string, readonly string[]>>
  readonly place?: Place
  readonly leader?: string | null
  readonly amongGroups?: boolean
}

/** n2, among servers on one machine unless told, which begins to work on its start. */
function begun({
  members = HERE,
  place = { term: 5, index: 100 },
  leader = null,
  amongGroups = false,
}: Begun = {}): { precedence: Precedence; changes: () => number } {
  let changes = 0
  const membership = bootstrapMembership(members)
  const precedence = new Precedence({
    self: 'n2',
    place,
    amongGroups,
    membership: () => membership,
    leader: () => leader,
    onChange: () => changes++,
  })
  precedence.atWork = true
  return { precedence, changes: () => changes }
}

/** Does n2, with `place`, give way to `peer`, which says that its log reaches to `theirs`? */
function givesWayTo(peer: string, theirs: Place | null, given: Begun = {}): boolean {
  const { precedence } = begun(given)
  precedence.heard(peer, theirs)
  return precedence.givesWay
}

test('whoever would win an election comes first: by the last term, then by the length of the log, then by name', () => {
  expect(givesWayTo('n3', { term: 6, index: 1 })).toBe(true)
  expect(givesWayTo('n1', { term: 4, index: 1000 })).toBe(false)
  expect(givesWayTo('n3', { term: 5, index: 101 })).toBe(true)
  expect(givesWayTo('n1', { term: 5, index: 99 })).toBe(false)
  expect(givesWayTo('n1', { term: 5, index: 100 })).toBe(true)
  expect(givesWayTo('n3', { term: 5, index: 100 })).toBe(false)
})

test('the leader comes before them all, while it starts; when another leads that does not, nobody gives way', () => {
  expect(givesWayTo('n3', { term: 1, index: 1 }, { leader: 'n3' })).toBe(true)
  expect(givesWayTo('n1', { term: 9, index: 9 }, { leader: 'n3' })).toBe(false)
  expect(givesWayTo('n1', { term: 9, index: 9 }, { leader: 'n2' })).toBe(false)
})

test('only those on the same machine count, and who neither starts nor is reached any more counts no longer', () => {
  const elsewhere = { n1: ['tcp://a:1'], n2: ['tcp://b:1'], n3: ['tcp://c:1'] }
  expect(givesWayTo('n1', { term: 9, index: 9 }, { members: elsewhere })).toBe(false)
  expect(givesWayTo('n1', null)).toBe(false)
  expect(givesWayTo('stranger', { term: 9, index: 9 })).toBe(false)
  const bracketed = { n1: ['tcp://[::1]:1'], n2: ['tcp://[::1]:2'] }
  expect(givesWayTo('n1', { term: 9, index: 9 }, { members: bracketed })).toBe(true)
  const { precedence } = begun()
  precedence.heard('n1', { term: 9, index: 9 })
  precedence.heard('n3', { term: 9, index: 9 })
  precedence.lost('n1')
  expect(precedence.givesWay).toBe(true)
  precedence.heard('n3', null)
  expect(precedence.givesWay).toBe(false)
})

test('who gives way rests much, and what nobody waits for among the groups of a process a little, while it replays', () => {
  const giving = begun({ amongGroups: true }).precedence
  giving.heard('n1', { term: 9, index: 9 })
  expect([giving.restPerSlice('restore', false), giving.restPerSlice('replay', false)]).toEqual([8, 8])
  expect(giving.restPerSlice('replay', true)).toBe(0)
  const many = begun({ amongGroups: true }).precedence
  expect([many.restPerSlice('restore', false), many.restPerSlice('replay', false)]).toEqual([0, 2])
  const alone = begun().precedence
  expect([alone.restPerSlice('restore', false), alone.restPerSlice('replay', false)]).toEqual([0, 0])
})

test('a server claims its place while it is at work and has a vote, and says so when that changes and somebody is near', () => {
  const { precedence, changes } = begun()
  expect(precedence.claim).toEqual({ term: 5, index: 100 })
  precedence.atWork = true
  expect(changes()).toBe(1)
  precedence.atWork = false
  expect(changes()).toBe(2)
  expect(precedence.claim).toBe(null)
  expect(begun({ members: { n1: ['tcp://box:1'], n3: ['tcp://box:3'] } }).precedence.claim).toBe(null)
  expect(begun({ members: { n1: ['tcp://a:1'], n2: ['tcp://b:1'] } }).changes()).toBe(0)
})

test('greetings carry the place of whoever starts', () => {
  const greetings = new Map([
    [0, { index: 7, addresses: ['tcp://a:1', 'ws://a:2'], starts: { term: 3, index: 2 ** 40 } }],
    [9, { index: 0, addresses: [], starts: null }],
  ])
  expect(decodeGreetings(encodeGreetings(greetings))).toEqual(greetings)
  const wrong = new ByteWriter().varint(1).varint(0).varint(7).varint(0).u8(2).finish()
  expect(() => decodeGreetings(wrong)).toThrow('a greeting that says 2 of a start')
})

const CHUNK_BYTES = 64 * 1024
const CHUNKS = 200
const ENTRIES = 40
/** Of the processor, for each of both. */
const WORK_MS = 4
/** Of one start. */
const START_MS = (CHUNKS + ENTRIES) * WORK_MS

/** It counts its commands; restoring a part of its state and applying a large command cost the processor something. */
class Counting implements StateMachine<string, number, null, number> {
  count = 0
  readonly #processor: Processor
  readonly #isKilled: () => boolean

  constructor(processor: Processor, isKilled: () => boolean) {
    this.#processor = processor
    this.#isKilled = isKilled
  }

  apply(command: string): number {
    if (command.length > 1) this.#processor.work(WORK_MS)
    return ++this.count
  }

  query(): number {
    return this.count
  }

  *snapshot(): Iterable<Uint8Array> {
    const first = new Uint8Array(CHUNK_BYTES)
    new DataView(first.buffer).setUint32(0, this.count)
    yield first
    for (let i = 1; i < CHUNKS; i++) yield new Uint8Array(CHUNK_BYTES)
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let first = true
    for await (const chunk of chunks) {
      if (this.#isKilled()) throw new Error('killed')
      if (first) this.count = new DataView(chunk.buffer, chunk.byteOffset).getUint32(0)
      first = false
      for (let bytes = 0; bytes < chunk.length; bytes += CHUNK_BYTES) this.#processor.work(WORK_MS)
    }
  }
}

/** Three servers that share one processor, and have much to restore and to replay. */
class Machine {
  readonly clock = new ManualClock()
  readonly ids = ['n1', 'n2', 'n3']
  nodes: RaftNode<Counting>[] = []
  /** Who was ready at the end of {@link restart}. */
  restarted: readonly string[] = []
  readonly #processor = new Processor()
  readonly #network = new MemoryNetwork({ clock: this.clock, random: seededRandom(1) })
  readonly #storages: MemoryStorage[]
  readonly #killed = new Set<string>()
  readonly #members: Readonly<Record<string, string>>
  /** Of every server, and of the clients. */
  readonly now: () => number
  readonly #clock: Clock

  /** @param hostOf where each server is reached */
  constructor(hostOf: (id: string) => string) {
    const { clock } = this
    this.#clock = this.#processor.around(clock)
    this.now = () => this.#clock.now()
    this.#storages = this.ids.map((_, at) => memoryStorage({ clock, random: seededRandom(at) }))
    this.#members = Object.fromEntries(this.ids.map((id, at) => [id, `memory://${hostOf(id)}:${at + 1}`]))
  }

  /** Starts servers: each resolves when it has restored its snapshot. */
  start(ids: readonly string[] = this.ids): Promise<RaftNode<Counting>>[] {
    return ids.map((id) => {
      const at = this.ids.indexOf(id)
      return RaftNode.start<Counting>({
        id,
        members: this.#members,
        storage: this.#storages[at] as MemoryStorage,
        stateMachine: new Counting(this.#processor, () => this.#killed.has(id)),
        transport: memory(this.#network, { name: id }),
        clock: this.#clock,
        random: seededRandom(10 + at),
        snapshotEveryBytes: Infinity,
      })
    })
  }

  /** One that still restores. */
  kill(id: string): void {
    this.#killed.add(id)
    this.#network.crash(id)
  }

  client(...ids: readonly string[]): Promise<RaftClient<string, number, null, number>> {
    const servers = ids.map((id) => this.#members[id] ?? '')
    const transport = memory(this.#network, { name: 'client' })
    return RaftClient.connect({ servers, transport, clock: this.clock, random: seededRandom(99) })
  }

  /** A snapshot on every disk, a log behind it; then all die. */
  async live(): Promise<void> {
    this.nodes = await this.clock.settle(Promise.all(this.start()))
    const [node] = this.nodes as [RaftNode<Counting>]
    await this.clock.settle(node.propose('x'))
    await this.clock.settle(Promise.all(this.nodes.map((one) => one.snapshot())))
    for (let i = 0; i < ENTRIES; i++) await this.clock.settle(node.propose('y'.repeat(CHUNK_BYTES)))
    const { commitIndex } = node.status()
    await this.clock.settle(Promise.all(this.nodes.map((one) => one.waitApplied(commitIndex))))
    await this.stop()
  }

  async stop(): Promise<void> {
    const closed = this.nodes.map((node) => node.close())
    for (const id of this.ids) this.#network.crash(id)
    await this.clock.settle(Promise.all(closed))
    await this.clock.advance(100)
  }

  /** All start at once. @returns when a read, by default of whoever leads, was answered; and when the last server was ready */
  async restart({
    clientOf = this.ids,
    read = {},
    meanwhile = () => undefined,
  }: {
    readonly clientOf?: readonly string[]
    readonly read?: ClientReadOptions
    readonly meanwhile?: () => void
  } = {}): Promise<{ readonly answered: number; readonly ready: number }> {
    await this.live()
    const begun = this.now()
    const started = Promise.allSettled(this.start())
    const client = await this.clock.settle(this.client(...clientOf))
    const reading = client.read(null, read)
    await this.clock.advance(WORK_MS * 50)
    meanwhile()
    const count = await this.clock.settle(reading)
    const answered = this.now() - begun
    if (read.consistency !== 'stale') expect(count).toBe(1 + ENTRIES)
    const outcomes = await this.clock.settle(started)
    this.nodes = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    await this.clock.settle(Promise.all(this.nodes.map((node) => node.ready())))
    const ready = this.now() - begun
    this.restarted = this.nodes.map(({ id }) => id)
    await client.close()
    await this.stop()
    return { answered, ready }
  }
}

const onOneMachine = (): Machine => new Machine(() => 'box')

test('of servers that start on one machine the first answers almost as soon as if it were alone, and all are ready no later', async () => {
  const together = await onOneMachine().restart()
  const apart = await new Machine((id) => id).restart()
  expect(apart.answered).toBeGreaterThan(3 * START_MS)
  expect(together.answered).toBeLessThan(1.5 * START_MS)
  expect(together.ready).toBeLessThan(apart.ready)
})

test('whoever asks one that gives way is sent to the leader', async () => {
  expect((await onOneMachine().restart({ clientOf: ['n3'] })).answered).toBeLessThan(1.5 * START_MS)
})

test('one that is waited for does not give way, though another comes first', async () => {
  const stale = { clientOf: ['n3'], read: { consistency: 'stale' } } as const
  expect((await onOneMachine().restart(stale)).answered).toBeLessThan(2 * START_MS)
})

test('when the first dies those that gave way go on as fast as they can', async () => {
  const machine = onOneMachine()
  const { answered } = await machine.restart({ meanwhile: () => machine.kill('n1') })
  expect(machine.restarted).toEqual(['n2', 'n3'])
  expect(answered).toBeLessThan(2 * START_MS)
})

test('a server that has not started anew is not waited for, nor does it wait: it leads before the others have restored anything', async () => {
  const machine = onOneMachine()
  await machine.live()
  const [first] = await machine.clock.settle(Promise.all(machine.start(['n1'])))
  const begun = machine.now()
  const others = Promise.all(machine.start(['n2', 'n3']))
  const client = await machine.clock.settle(machine.client('n1', 'n2', 'n3'))
  // What it has not replayed of its log nobody has told it to be committed; it was alone.
  expect(await machine.clock.settle(client.read(null))).toBe(1 + ENTRIES)
  expect(machine.now() - begun).toBeLessThan(START_MS)
  expect(first?.status().role).toBe('leader')
  machine.nodes = [first as RaftNode<Counting>, ...(await machine.clock.settle(others))]
  await client.close()
  await machine.stop()
})
