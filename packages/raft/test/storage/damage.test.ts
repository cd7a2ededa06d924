import { seededRandom } from '@lab/rpc'
import { describe, expect, test } from 'vitest'
import { makeEntry } from '../../src/record.ts'
import { StorageError, type Recovered, type Storage } from '../../src/storage.ts'
import { batchAt } from '../../src/storage/file/batch.ts'
import { SECTOR_BYTES } from '../../src/storage/file/format.ts'
import { fileStorage } from '../../src/storage/file/index.ts'
import {
  OWNER,
  append,
  entries,
  equal,
  logOf,
  metaOf,
  shorts,
  snapshotOf,
  stateOf,
  takeSnapshot,
} from '../../src/testing/storage/kit.ts'
import { SimDisk } from '@lab/sim'

const SEGMENT_BYTES = 4096
/** Every byte in the long tests; else every third, which still meets each field of four bytes. */
const STRIDE = process.env['LAB_LONG'] === '1' ? 1 : 3

function storageOn(disk: SimDisk): Storage {
  return fileStorage('data', { disk, random: seededRandom(1), segmentBytes: SEGMENT_BYTES })
}

/** What a start makes of a folder. */
type Outcome = { readonly refused: StorageError } | { readonly recovered: Recovered; readonly log: string[] }

async function start(disk: SimDisk): Promise<Outcome> {
  const storage = storageOn(disk)
  try {
    const recovered = await storage.open(OWNER)
    return { recovered, log: await logOf(storage, recovered.firstIndex, recovered.lastIndex) }
  } catch (thrown) {
    if (thrown instanceof StorageError) return { refused: thrown }
    throw thrown
  }
}

/** A log of 36 entries in batches of 4, a sector each, two of them in the last segment; the vote of term 2 came with the last. */
async function smallLog(options: { recycled: boolean }): Promise<SimDisk> {
  const disk = new SimDisk({ random: seededRandom(2) })
  const storage = storageOn(disk)
  await storage.open(OWNER)
  if (options.recycled) await liveBefore(storage)
  const base = options.recycled ? 112 : 0
  for (let batch = 0; batch < 9; batch++) {
    const first = base + batch * 4 + 1
    const vote = batch === 8 ? { currentTerm: 2, votedFor: 'n2' } : { currentTerm: 1, votedFor: 'n1' }
    await append(storage, entries(first, first + 3, 1, 40), vote)
  }
  await storage.close()
  return disk
}

/** Entries 1 to 112, forgotten, so that their segments live again. */
async function liveBefore(storage: Storage): Promise<void> {
  for (let first = 1; first <= 109; first += 4) await append(storage, entries(first, first + 3, 1, 40))
  await takeSnapshot(storage, metaOf(112, 1))
  await storage.compact(112)
}

/** The path of the last segment that was begun, and how many batches it holds. */
function lastSegment(
  disk: SimDisk,
  names: readonly string[],
): { path: string; batches: number; end: number } {
  let last = { path: '', batches: 0, end: 0 }
  for (const name of names) {
    const path = `data/${name}`
    const bytes = disk.bytes(path)
    const salt = bytes.slice(40, 48)
    let at = SECTOR_BYTES
    let batches = 0
    for (let batch = batchAt(bytes, at, salt); batch !== null; batch = batchAt(bytes, at, salt)) {
      at = batch.end
      batches++
    }
    // A recycled file's earlier life is whole, too: its header has another number.
    if (batches > 0 && Number(name.slice(4)) === Number(new DataView(bytes.buffer).getBigUint64(16, true)))
      last = { path, batches, end: at }
  }
  return last
}

async function logNames(disk: SimDisk): Promise<string[]> {
  return (await disk.list('data')).filter((name) => name.startsWith('log-'))
}

const DAMAGES: Readonly<Record<string, (bytes: Uint8Array, at: number) => void>> = {
  'a bit flipped': (bytes, at) => (bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))),
  'a byte zeroed': (bytes, at) => (bytes[at] = 0),
  'a sector zeroed': (bytes, at) =>
    bytes.fill(0, at - (at % SECTOR_BYTES), at - (at % SECTOR_BYTES) + SECTOR_BYTES),
}

test('rot in the filling between two batches harms nothing: neither a start nor a read stops at it', async () => {
  const disk = await smallLog({ recycled: false })
  const { path } = lastSegment(disk, await logNames(disk))
  const bytes = disk.bytes(path).slice()
  const salt = bytes.slice(40, 48)
  const first = batchAt(bytes, SECTOR_BYTES, salt)
  if (first === null) throw new Error('the last segment begins with a batch')
  // The last byte before the next batch: filling, as long as the batch does not end with its sector.
  const at = first.end - 1
  expect(bytes[at]).toBe(0)
  bytes[at] = 1
  disk.put(path, bytes)
  const outcome = await start(disk)
  if ('refused' in outcome) throw outcome.refused
  equal(outcome.log, shorts(1, 36, 1), 'the log')
})

describe.each([false, true])('a log whose last segment was used before: %s', (recycled) => {
  const base = recycled ? 112 : 0
  const whole = shorts(base + 1, base + 36, 1)
  const withoutLast = shorts(base + 1, base + 32, 1)

  /** All of it, or all but the last batch with its vote; a refusal otherwise. Never anything else. */
  function judge(outcome: Outcome, what: string): void {
    if ('refused' in outcome) {
      equal(outcome.refused.code, 'CORRUPT', what)
      return
    }
    const log = outcome.log.filter((short) => Number.parseInt(short) > base)
    const isWhole = log.length === whole.length
    equal(log, isWhole ? whole : withoutLast, what)
    equal(outcome.recovered.hardState.votedFor, isWhole ? 'n2' : 'n1', what)
  }

  test.each(Object.keys(DAMAGES))(
    '%s all along the last segment: the last batch is cut off, or the folder refused',
    async (name) => {
      const disk = await smallLog({ recycled })
      const { path, batches, end } = lastSegment(disk, await logNames(disk))
      expect(batches).toBe(2)
      let refusals = 0
      const dense = name === 'a sector zeroed' ? SECTOR_BYTES : STRIDE
      for (let at = 0; at < SEGMENT_BYTES; at += at < end ? dense : 61) {
        const damaged = disk.copy()
        const bytes = disk.bytes(path).slice()
        DAMAGES[name]?.(bytes, at)
        damaged.put(path, bytes)
        const outcome = await start(damaged)
        judge(outcome, `${name} at ${String(at)}`)
        if ('refused' in outcome) {
          refusals++
          expect(outcome.refused.message).toContain(path)
        }
      }
      expect(refusals).toBeGreaterThan(0)
    },
  )

  test('a bit flipped all along every earlier segment that counts: the folder is refused', async () => {
    const disk = await smallLog({ recycled })
    const names = await logNames(disk)
    const last = lastSegment(disk, names)
    const earlier = names.filter((name) => `data/${name}` < last.path)
    expect(earlier.length).toBeGreaterThan(0)
    for (const name of earlier) {
      for (let at = 0; at < SEGMENT_BYTES; at += 7 * STRIDE) {
        const damaged = disk.copy()
        const bytes = disk.bytes(`data/${name}`).slice()
        DAMAGES['a bit flipped']?.(bytes, at)
        damaged.put(`data/${name}`, bytes)
        const outcome = await start(damaged)
        if ('refused' in outcome) equal(outcome.refused.code, 'CORRUPT', `${name} at ${String(at)}`)
        else equal(outcome.log.slice(-36), whole, `${name} at ${String(at)}, which is filling`)
      }
    }
  })

  test('a segment cut at any offset is refused, as no crash cuts a prepared file', async () => {
    const disk = await smallLog({ recycled })
    for (const name of await logNames(disk)) {
      for (let size = 0; size < SEGMENT_BYTES; size += 29) {
        const damaged = disk.copy()
        damaged.put(`data/${name}`, disk.bytes(`data/${name}`).slice(0, size))
        expect(await start(damaged)).toMatchObject({ refused: { code: 'CORRUPT' } })
      }
    }
  })

  test('a torn last batch is cut off once, told once, and leaves nothing behind', async () => {
    const disk = await smallLog({ recycled })
    const { path, end } = lastSegment(disk, await logNames(disk))
    const bytes = disk.bytes(path).slice()
    bytes.fill(0xee, end - SECTOR_BYTES + 100, end)
    disk.put(path, bytes)
    const first = await start(disk)
    judge(first, 'first start')
    expect(first).toMatchObject({ recovered: { notes: [expect.stringContaining('torn') as string] } })
    disk.crash()
    const second = await start(disk)
    judge(second, 'second start')
    expect(second).toMatchObject({ recovered: { notes: [] } })
  })
})

test('a large segment cut anywhere is refused', async () => {
  const disk = new SimDisk({ random: seededRandom(8) })
  const options = { disk, random: seededRandom(9), segmentBytes: 16 * 1024 }
  const storage = fileStorage('data', options)
  await storage.open(OWNER)
  for (let index = 1; index <= 5; index++) await append(storage, entries(index, index, 1, 10))
  await storage.close()
  const whole = disk.bytes('data/log-0000000001')
  for (let size = 0; size < whole.length; size += 511) {
    const damaged = disk.copy()
    damaged.put('data/log-0000000001', whole.slice(0, size))
    const start = fileStorage('data', { ...options, disk: damaged }).open(OWNER)
    await expect(start, `cut to ${String(size)}`).rejects.toMatchObject({ code: 'CORRUPT' })
  }
})

test('a batch that somebody stored as a value is not taken for a batch of the log', async () => {
  // A foreign log with later sequences, kept as a value that fills whole sectors.
  const foreign = new SimDisk({ random: seededRandom(3) })
  const other = storageOn(foreign)
  await other.open(OWNER)
  for (let index = 1; index <= 30; index++) await append(other, entries(index, index, 1, 10))
  const value = foreign.bytes(`data/${(await logNames(foreign)).at(-1) ?? ''}`).slice(SECTOR_BYTES)

  const disk = new SimDisk({ random: seededRandom(4) })
  const storage = fileStorage('data', { disk, random: seededRandom(5), segmentBytes: 64 * 1024 })
  await storage.open(OWNER)
  await append(storage, entries(1, 3, 1))
  const [bait] = entries(4, 4, 1, 600 + value.length)
  if (bait === undefined) throw new Error('an entry')
  // Where the value must stand so that the copy begins at a sector: after the batch's and the record's headers.
  const copyAt = SECTOR_BYTES - 32 - 40
  bait.slab.set(value, bait.start + 40 + copyAt)
  await append(storage, [
    makeEntry({ ...bait, group: 0, payload: bait.slab.slice(bait.start + 40, bait.end) }),
  ])
  await storage.close()

  const path = `data/${(await logNames(disk))[0] ?? ''}`
  const bytes = disk.bytes(path).slice()
  const at = SECTOR_BYTES + sectors(32 + 80 + 3 * 56)
  expect(batchAt(bytes, at, null)?.records).toHaveLength(1)
  expect(batchAt(bytes, at + SECTOR_BYTES, null)).not.toBeNull()
  bytes[at + 100] = (bytes[at + 100] ?? 0) ^ 1
  disk.put(path, bytes)
  const torn = fileStorage('data', { disk, random: seededRandom(6), segmentBytes: 64 * 1024 })
  expect(await torn.open(OWNER)).toMatchObject({ lastIndex: 3 })
})

function sectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES
}

test('a damaged snapshot is refused at the start, or where it is read', async () => {
  const disk = new SimDisk({ random: seededRandom(7) })
  const storage = storageOn(disk)
  await storage.open(OWNER)
  await append(storage, entries(1, 9, 1))
  await takeSnapshot(storage, metaOf(5, 1), stateOf(5, 70_000))
  await storage.close()
  const name = (await disk.list('data')).find((each) => each.startsWith('snapshot-')) ?? ''
  const whole = disk.bytes(`data/${name}`)
  const offsets = [
    ...Array.from({ length: 100 }, (_, i) => i),
    ...Array.from({ length: 100 }, (_, i) => 65_520 + i),
    ...Array.from({ length: 60 }, (_, i) => whole.length - 1 - i),
  ]
  for (const at of offsets) {
    const damaged = disk.copy()
    const bytes = whole.slice()
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
    damaged.put(`data/${name}`, bytes)
    const again = storageOn(damaged)
    const read = again.open(OWNER).then(() => snapshotOf(again))
    await expect(read, `offset ${String(at)}`).rejects.toMatchObject({ code: 'CORRUPT' })
  }
})
