/** What is asked in one turn leaves in one call: each item ends as it would have alone. */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Answers, LIST_ITEMS_MAX, readAnswers, readItems } from '../../src/calls/list.ts'
import { OpenLists, type ListTarget, type SentList } from '../../src/calls/open-lists.ts'
import { encodeRefusal } from '../../src/calls/refusal.ts'
import type { Sending } from '../../src/calls/sending.ts'
import { RaftError, stateMachine, type RaftClient } from '../../src/index.ts'
import { decodeWanted } from '../../src/reads.ts'
import type { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, errorOf, type Appender } from './appender.ts'
import { startChecked } from './checked-cluster.ts'

type Client = RaftClient<string, number, 'length' | 'all'>
const start = (options: Parameters<typeof startChecked<Appender>>[0] = {}): Promise<RaftCluster<Appender>> =>
  startChecked<Appender>({ seed: 1, stateMachine: appender, ...options })

const HEAD = new Uint8Array()
const NOT_HERE = new RaftError('NOT_LEADER', 'not here', { outcome: 'not-applied' })

/** Keeps what it is called with until the test answers. */
class Target implements ListTarget {
  readonly repeats: boolean
  readonly calls: { readonly list: SentList; readonly answer: (answers: Uint8Array) => void }[] = []
  onPart: (answers: Uint8Array) => void = () => undefined

  constructor(repeats = false) {
    this.repeats = repeats
  }

  bytesMax(): number {
    return 1e6
  }

  call(list: SentList, { onPart }: Parameters<ListTarget['call']>[1]): Promise<Uint8Array> {
    this.onPart = onPart
    return new Promise((answer) => this.calls.push({ list, answer }))
  }

  answered(): void {}
  refused(): boolean {
    return false
  }

  failed(): void {}
}

interface Told {
  readonly sending: Sending
  readonly told: string[]
}

function sending(body: number, signal?: AbortSignal): Told {
  const told: string[] = []
  return {
    told,
    sending: {
      body: Uint8Array.of(body),
      timeout: 1000,
      signal,
      answered: (reply) => told.push(`answered ${reply.join(' ')}`),
      failed: ({ code, outcome }) => told.push(`${code} ${outcome ?? ''}`),
    },
  }
}

function answersOf(...answers: (readonly [place: number, answer: Uint8Array])[]): Uint8Array {
  const writer = new Answers()
  for (const [place, answer] of answers) writer.add(place, answer)
  return writer.take()
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

/** What was called with bodies 1 and 2 in one turn, when that turn is over. */
async function two(target: Target): Promise<readonly [Told, Told]> {
  const lists = new OpenLists()
  const both = [sending(1), sending(2)] as const
  for (const one of both) lists.add(target, HEAD, one.sending)
  await turn()
  return both
}

describe('lists of one turn', () => {
  test('what is sent in one turn is one call, and each is told its own answer, in whatever order they come', async () => {
    const lists = new OpenLists()
    const target = new Target()
    const all = [1, 2, 3].map((body) => sending(body))
    for (const one of all) lists.add(target, HEAD, one.sending)
    expect(target.calls).toHaveLength(0)
    await turn()
    expect(target.calls.map(({ list }) => list.items.map((item) => item[0]))).toEqual([[1, 2, 3]])
    target.calls[0]?.answer(
      answersOf([2, Uint8Array.of(30)], [0, Uint8Array.of(10)], [1, encodeRefusal(NOT_HERE)]),
    )
    await turn()
    expect(all.map(({ told }) => told)).toEqual([
      ['answered 10'],
      ['NOT_LEADER not-applied'],
      ['answered 30'],
    ])
  })

  test('one refusal is the answer to all', async () => {
    const target = new Target()
    const all = await two(target)
    target.calls[0]?.answer(encodeRefusal(NOT_HERE))
    await turn()
    expect(all.map(({ told }) => told)).toEqual([['NOT_LEADER not-applied'], ['NOT_LEADER not-applied']])
  })

  test('what is called off before its list leaves is not in it; later, its answer is nobody’s', async () => {
    const lists = new OpenLists()
    const target = new Target()
    const [early, late] = [new AbortController(), new AbortController()]
    const all = [sending(1, early.signal), sending(2, late.signal), sending(3)]
    for (const one of all) lists.add(target, HEAD, one.sending)
    early.abort()
    await turn()
    expect(target.calls[0]?.list.items.map((item) => item[0])).toEqual([2, 3])
    late.abort()
    target.calls[0]?.answer(answersOf([0, Uint8Array.of(20)], [1, Uint8Array.of(30)]))
    await turn()
    expect(all.map(({ told }) => told)).toEqual([
      ['CANCELLED not-applied'],
      ['CANCELLED unknown'],
      ['answered 30'],
    ])
  })

  test('what comes ahead of the rest is told at once, and only once', async () => {
    const target = new Target()
    const all = await two(target)
    target.onPart(answersOf([1, Uint8Array.of(20)]))
    expect(all.map(({ told }) => told)).toEqual([[], ['answered 20']])
    target.calls[0]?.answer(answersOf([0, Uint8Array.of(10)], [1, Uint8Array.of(99)]))
    await turn()
    expect(all.map(({ told }) => told)).toEqual([['answered 10'], ['answered 20']])
  })

  test('a query that an answer leaves out is asked again; a command is unknown', async () => {
    for (const repeats of [true, false]) {
      const target = new Target(repeats)
      const [told, left] = await two(target)
      target.calls[0]?.answer(answersOf([0, Uint8Array.of(10)]))
      await turn()
      expect(told.told).toEqual(['answered 10'])
      expect(left.told).toEqual(repeats ? [] : ['UNAVAILABLE unknown'])
      expect(target.calls.slice(1).map(({ list }) => list.items[0]?.[0])).toEqual(repeats ? [2] : [])
      target.calls[1]?.answer(answersOf())
      await turn()
      expect(left.told).toEqual(['UNAVAILABLE unknown'])
    }
  })
})

describe('bytes of lists', () => {
  const bytes = fc.uint8Array({ maxLength: 40 })

  test('items and answers come back as they were', () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: LIST_ITEMS_MAX }), (items) => {
        const writer = new ByteWriter(64)
        for (const item of items) writer.bytes(item)
        expect(readItems(new ByteReader(writer.view()))).toEqual(items)
        const told: [number, Uint8Array][] = []
        readAnswers(
          answersOf(...items.map((item, place) => [place, item] as const)),
          items.length,
          (...one) => told.push(one),
        )
        expect(told).toEqual([...items.entries()])
      }),
      { numRuns: 30 },
    )
  })

  test('bytes of anybody else are refused with a ProtocolError, and make nothing large', () => {
    const refuses = (read: () => unknown): void => {
      try {
        read()
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ProtocolError)
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        refuses(() => readItems(new ByteReader(garbage)))
        refuses(() => decodeWanted(new ByteReader(garbage)))
        refuses(() => readAnswers(Uint8Array.of(1, ...garbage), 3, (place) => expect(place).toBeLessThan(3)))
      }),
      { numRuns: 200 },
    )
    expect(() => readItems(new ByteReader(new Uint8Array(LIST_ITEMS_MAX + 1)))).toThrow(ProtocolError)
    expect(() => readItems(new ByteReader(new Uint8Array()))).toThrow(ProtocolError)
    expect(() => readAnswers(answersOf([3, HEAD]), 3, () => undefined)).toThrow(ProtocolError)
    expect(() => readAnswers(Uint8Array.of(9), 3, () => undefined)).toThrow(ProtocolError)
  })
})

describe('lists and the log', () => {
  test('hundreds of commands of one turn are a few messages, and each has its own result', async () => {
    const t = await start()
    const leader = await t.leader()
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    const before = t.network.counters('client1', leader.id).delivered
    const results = await t.settle(
      Promise.all(Array.from({ length: 300 }, (_, i) => client.submit(String(i)))),
    )
    expect(t.network.counters('client1', leader.id).delivered - before).toBe(Math.ceil(300 / LIST_ITEMS_MAX))
    const all = (await t.settle(client.read('all'))) as string[]
    expect(results.map(({ result }) => all[result - 1])).toEqual(
      Array.from({ length: 300 }, (_, i) => String(i)),
    )
    expect(new Set(results.map(({ index }) => index)).size).toBe(300)
    await t.close()
  })

  test('one that is too large, or that the machine refuses, ends none of the others', async () => {
    const t = await start({ options: { limits: { commandBytesMax: 100 } } })
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    const commands = ['a', 'x'.repeat(200), 'forbidden', 'b']
    const outcomes = await t.settle(
      Promise.all(commands.map((command) => errorOf(client.propose(command, { attempts: 1 })))),
    )
    expect(outcomes).toMatchObject([
      null,
      { code: 'TOO_LARGE', outcome: 'not-applied' },
      { code: 'COMMAND_FAILED', remoteCode: 'FORBIDDEN' },
      null,
    ])
    expect(await t.settle(client.read('all'))).toEqual(['first', 'a', 'b'])
    await t.close()
  })

  test('those for which there is no room are refused at once, while the others wait', async () => {
    const t = await start({ options: { limits: { proposalsMax: 5 } } })
    const leader = await t.leader()
    const client: Client = await t.client()
    await t.settle(client.propose('first', { attempts: 1 }))
    for (const other of t.except(leader)) t.network.cut(other, leader.id)
    const ended: string[] = []
    for (let i = 0; i < 8; i++)
      void errorOf(client.propose(String(i), { attempts: 1, timeout: 30_000 })).then((error) =>
        ended.push((error as RaftError | null)?.code ?? 'OK'),
      )
    await t.advance(5)
    expect(ended).toEqual(['BUSY', 'BUSY', 'BUSY'])
    t.heal()
    await t.close()
  })

  test('results that fit no message together come all the same', async () => {
    const large = stateMachine<{ n: number }, number, string, number>({
      initial: { n: 0 },
      apply: (_, bytes) => 'x'.repeat(bytes),
      query: (_, bytes) => 'y'.repeat(bytes),
    })
    const t = await startChecked({
      seed: 1,
      stateMachine: () => large,
    })
    await t.leader()
    const client = await t.client<number, string, number, string>({ rpcLimits: { messageBytesMax: 5000 } })
    await t.settle(client.propose(1))
    const sizes = Array.from({ length: 12 }, (_, i) => 1000 + i)
    const results = await t.settle(Promise.all(sizes.map((size) => client.propose(size, { attempts: 1 }))))
    expect(results.map(({ length }) => length)).toEqual(sizes)
    const answers = await t.settle(Promise.all([9000, ...sizes].map((size) => lengthOf(client.read(size)))))
    expect(answers).toMatchObject([{ code: 'TOO_LARGE' }, ...sizes])
    await t.close()
  })

  test('whatever is asked together gives what it would have given one after the other', async () => {
    const t = await start()
    const client: Client = await t.client()
    const groups = fc.sample(fc.array(fc.constantFrom('put', 'get', 'forbidden'), { maxLength: 30 }), {
      numRuns: 12,
      seed: 7,
    })
    let before = 0
    for (const group of groups) {
      const done = await t.settle(
        Promise.all(
          group.map(async (what, i) => {
            if (what === 'get') return { what, length: Number(await client.read('length')) }
            if (what === 'put') return { what, length: await client.propose(`${before}.${i}`) }
            return { what, error: await errorOf(client.propose(what)) }
          }),
        ),
      )
      const puts = done.filter(({ what }) => what === 'put')
      // In one turn: the log has them in the order of the calls.
      expect(puts.map(({ length }) => length)).toEqual(puts.map((_, i) => before + i + 1))
      for (const { what, length, error } of done) {
        if (what === 'forbidden') expect(error).toMatchObject({ code: 'COMMAND_FAILED' })
        if (what === 'get') expect(length).toBeGreaterThanOrEqual(before)
        if (what === 'get') expect(length).toBeLessThanOrEqual(before + puts.length)
      }
      before += puts.length
      expect(await t.settle(client.read('length'))).toBe(before)
    }
    await t.close()
  })

  test('the trace tells of a call how many items it had', async () => {
    const t = await start()
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    await t.settle(Promise.all(['a', 'b', 'c'].map((command) => client.propose(command))))
    const received = t.trace.filter(({ k, type }) => k === 'recv' && type === 'raft.client.propose')
    expect(received.at(-1)).toMatchObject({ count: 3 })
    const calls = t.trace.filter(({ k, op }) => k === 'call' && op === 'propose')
    expect(calls.slice(-3).map(({ id }) => id)).toEqual([...new Set(calls.slice(-3).map(({ id }) => id))])
    await t.close()
  })
})

/** What it rejects with, or the length of what it gives. */
function lengthOf(work: Promise<string>): Promise<unknown> {
  return work.then(
    ({ length }) => length,
    (error: unknown) => error,
  )
}
