import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytes, clockTime, grouped, sparkline } from '../src/format.ts'
import { load, type Writer } from '../src/load.ts'
import { Meter } from '../src/meter.ts'
import { parseOptions } from '../src/options.ts'
import { Pace } from '../src/pace.ts'
import type { Picture } from '../src/picture.ts'
import { PlainLines } from '../src/plain.ts'
import { cut, pieceBytesFor, planPages } from '../src/plan.ts'
import { shardMap, shardViews } from '../src/shard-view.ts'
import { Screen } from '../src/screen.ts'
import { loadFiles, loadMobyDick } from '../src/texts.ts'

const signal = new AbortController().signal

test('Moby-Dick has 135 chapters, etymology, extracts and epilogue, and takes some 12 s at the default rate', () => {
  const texts = loadMobyDick()
  expect(texts).toHaveLength(138)
  expect(texts[2]?.name).toBe('moby-dick/chapter-001')
  expect(Buffer.from(texts[2]!.bytes).toString()).toMatch(/Call me Ishmael/)
  const pages = planPages(texts, pieceBytesFor(texts, 1000))
  const operations = pages.reduce((sum, { pieces }) => sum + pieces.length, 0)
  expect(operations).toBeGreaterThan(10_000)
  expect(operations).toBeLessThan(18_000)
})

test('cutting leaves out no byte, and no piece is longer than it may be', () => {
  const textLike = fc
    .array(fc.constantFrom(0x61, 0x62, 0x20, 0x0a), { maxLength: 200 })
    .map((b) => Uint8Array.from(b))
  fc.assert(
    fc.property(textLike, fc.integer({ min: 1, max: 30 }), (text, size) => {
      const pieces = cut(text, size)
      expect(Buffer.concat(pieces).equals(text)).toBe(true)
      for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(size)
    }),
  )
  expect(cut(Buffer.from('one two three\nfour'), 8).map(String)).toEqual(['one two ', 'three\n', 'four'])
})

test('a large text becomes several keys, below what the store takes in one value', () => {
  const pages = planPages([{ name: 'big', bytes: new Uint8Array(150_000) }], 1000)
  expect(pages.map(({ key }) => key)).toEqual(['big/part-0001', 'big/part-0002', 'big/part-0003'])
})

test('files are read by name; two of one name keep different keys; what is no file is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-demo-'))
  mkdirSync(join(folder, 'sub'))
  for (const path of ['a.txt', 'sub/a.txt']) writeFileSync(join(folder, path), path)
  const names = loadFiles([join(folder, 'a.txt'), join(folder, 'sub/a.txt')]).map(({ name }) => name)
  expect(names).toEqual(['a.txt', join(folder, 'sub/a.txt')])
  expect(() => loadFiles([folder])).toThrow(/is not a file/)
})

test('options are checked at the edge', () => {
  expect(parseOptions([])).toEqual({ files: [], rate: 1000, transport: 'tcp', nodes: 4, keep: false })
  expect(parseOptions(['x', '--rate', 'max', '--transport', 'websocket', '--nodes', '5', '--keep'])).toEqual({
    ...{ files: ['x'], rate: Infinity, transport: 'websocket', nodes: 5, keep: true },
  })
  expect(parseOptions(['--help'])).toBeNull()
  for (const argv of [
    ['--rate', '0'],
    ['--rate', 'fast'],
    ['--nodes', '2'],
    ['--transport', 'udp'],
    ['--nope'],
  ])
    expect(() => parseOptions(argv)).toThrow(expect.objectContaining({ name: 'UsageError' }))
})

test('operations of one key are sent one after the other; a failed one is told, and the others go on', async () => {
  const log: string[] = []
  const writer: Writer = {
    put: async (key) => {
      if (key === 'bad') throw new Error('no answer')
      log.push(`put ${key}`)
    },
    append: async (key, value) => void log.push(`append ${key} ${Buffer.from(value).toString()}`),
  }
  const pages = ['a', 'bad', 'b'].map((key) => ({ key, pieces: ['1', '2', '3'].map((t) => Buffer.from(t)) }))
  const meter = new Meter(() => performance.now())
  const pace = new Pace(Infinity)
  const loaded = await load(pages, { writer, meter, pace, concurrency: 2, again: () => false, signal })
  expect(log.filter((line) => line.includes(' a'))).toEqual(['put a', 'append a 2', 'append a 3'])
  expect(loaded.pages.map(({ key }) => key).sort()).toEqual(['a', 'b'])
  expect(loaded.failures).toEqual([{ key: 'bad', reason: 'no answer' }])
  expect({ done: meter.done, failed: meter.failed }).toEqual({ done: 6, failed: 1 })
})

test('a short text is loaded again under other keys while the play goes on', async () => {
  const keys: string[] = []
  const writer: Writer = { put: async (key) => void keys.push(key), append: async () => undefined }
  const pages = [{ key: 'a', pieces: [new Uint8Array(1)] }]
  const meter = new Meter(() => performance.now())
  const again = (): boolean => keys.length < 3
  await load(pages, { writer, meter, pace: new Pace(Infinity), concurrency: 1, again, signal })
  expect(keys).toEqual(['a', 'copy-2/a', 'copy-3/a'])
})

test('a copy that was cut short counts as far as it got', async () => {
  let written = 0
  const writer: Writer = { put: async () => ++written, append: async () => ++written }
  const pages = [{ key: 'a', pieces: ['1', '2', '3'].map((t) => Buffer.from(t)) }]
  const meter = new Meter(() => performance.now())
  const again = (): boolean => written < 5
  const loaded = await load(pages, { writer, meter, pace: new Pace(Infinity), concurrency: 1, again, signal })
  expect(loaded.pages.map(({ key, pieces }) => `${key} ${pieces.length}`)).toEqual(['a 3', 'copy-2/a 2'])
})

test('the pace is kept, and lost time is not made up for', async () => {
  const pace = new Pace(500)
  const started = performance.now()
  for (let n = 0; n < 50; n++) await pace.turn(signal)
  expect(performance.now() - started).toBeGreaterThan(90)
})

test('the meter knows the longest time without an acknowledgement since it was asked to watch', () => {
  let now = 0
  const meter = new Meter(() => now)
  const acknowledgeAt = (time: number, took: number): void => {
    now = time
    meter.acknowledge(time - took)
  }
  acknowledgeAt(900, 10)
  now = 1000
  meter.watchGap()
  acknowledgeAt(1400, 300)
  acknowledgeAt(1410, 20)
  expect(meter.longestGap).toBe(400)
  expect(meter.percentile(0.5)).toBe(20)
  expect(meter.percentile(0.99)).toBe(300)
  expect(meter.percentile(0.99, 1)).toBe(20)
  now = 2000
  expect(meter.throughput(10)).toEqual([0, 2, 4, 0, 0])
})

test('numbers are for people', () => {
  expect([grouped(1234567), grouped(12), bytes(999), bytes(1_250_000)]).toEqual([
    '1 234 567',
    '12',
    '999 B',
    '1.3 MB',
  ])
  expect([clockTime(8449), clockTime(61_000)]).toEqual(['00:08.4', '01:01.0'])
  expect(sparkline([0, 1, 500, 1000])).toBe(' ▁▅█')
})

const picture: Picture = {
  ...{ elapsed: 5200, done: 1000, planned: 2000, rate: 500, throughput: [500, 0, 500], p50: 1.2, p99: 4 },
  machines: [
    { id: 'm1', state: 'up', leads: [0, 101], diskBytes: 5e6 },
    { id: 'm2', state: 'dead', leads: [], diskBytes: 0 },
  ],
  groups: [
    { gid: 0, leader: 'm1', term: 3, keys: 0, bytes: 0 },
    { gid: 100, leader: null, term: 0, keys: 0, bytes: 0 },
    { gid: 101, leader: 'm1', term: 2, keys: 46, bytes: 412_000 },
  ],
  shards: [
    { gid: 100, isMoving: false },
    { gid: 101, isMoving: true },
    { gid: 101, isMoving: false },
    { gid: 0, isMoving: false },
  ],
}

test('on a terminal a picture is drawn over the one before, and what happened stays above', () => {
  let written = ''
  const screen = new Screen({ write: (text) => (written += text), width: () => 80, color: false })
  screen.show(picture)
  expect(written).toBe(`
  m1    up        disk 5.0 MB    leads controller 101
  m2    dead      disk 0 B     
  controller  m1 leads, term 3
  A group 100  no leader          1 shards   0 keys      0 B
  B group 101  m1 leads, term 2   1 shards   46 keys     412.0 kB
  AbB·
  █ █ 500/s
  00:05.2  1 000 operations · 50 % of the text · p50 1.2 ms · p99 4.0 ms
`)
  const lines = written.split('\n').length - 1
  written = ''
  screen.say(5200, 'kill -9 n1')
  expect(written.startsWith(`\u001b[${lines}A`)).toBe(true)
  expect(written).toMatch(/00:05\.2 kill -9 n1\n/)
})

test('in colour each shard has that of its group', () => {
  let written = ''
  new Screen({ write: (text) => (written += text), width: () => 80, color: true }).show(picture)
  expect(written).toContain('  \u001b[36mA\u001b[39m\u001b[35mbB\u001b[39m·\n')
})

test('a shard is where its leader says; of one that nobody leads stays what was known', () => {
  const report = { num: 2, keys: 0, bytes: 0, operations: 0 }
  const serving = { ...report, state: 'serving', other: 0 } as const
  const reports = [
    {
      gid: 102,
      num: 2,
      isLeader: true,
      shards: [{ ...report, shard: 1, state: 'waiting', other: 100 } as const],
    },
    {
      gid: 100,
      num: 2,
      isLeader: true,
      shards: [{ ...report, shard: 1, state: 'frozen', other: 102 } as const],
    },
    { gid: 100, num: 1, isLeader: false, shards: [{ ...serving, shard: 1 }] },
    { gid: 100, num: 2, isLeader: true, shards: [{ ...serving, shard: 0 }] },
  ]
  const known = [0, 1, 2].map(() => ({ gid: 101, isMoving: false }))
  const views = shardViews(reports, known, 4)
  expect(shardMap(views, [100, 101, 102])).toBe('AcB·')
})

test('no line of the picture is wider than the terminal', () => {
  let written = ''
  new Screen({ write: (text) => (written += text), width: () => 40, color: false }).show(picture)
  for (const line of written.split('\n')) expect(line.length).toBeLessThan(40)
})

test('off a terminal there are lines with a time and nothing that moves', () => {
  const lines: string[] = []
  const view = new PlainLines((line) => lines.push(line))
  view.show(picture)
  view.show(picture)
  view.say(8400, 'n1 leads')
  expect(lines).toEqual(['00:05.2 1 000 operations, 500/s, p50 1.2 ms, p99 4.0 ms', '00:08.4 n1 leads'])
  expect(lines.join('')).not.toMatch(/\p{Cc}/u)
})
