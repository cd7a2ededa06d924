/** Map outputs that are read from another worker as they are needed: the same bytes, or a failure that names the map. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MapOutput } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { readIndex, type Segment } from '../../src/data/spill-format.ts'
import { defineJob } from '../../src/job.ts'
import { FetchedFile } from '../../src/node/fetched-file.ts'
import type { Window } from '../../src/node/window.ts'
import { FetchFailed } from '../../src/task/failure.ts'
import { Progress } from '../../src/task/progress.ts'
import { runReduce } from '../../src/task/reduce-task.ts'
import { FETCH_BYTES_MAX, type ReduceWork } from '../../src/task/work.ts'

const THERE = Uint8Array.from({ length: 3 * FETCH_BYTES_MAX + 77 }, (_, i) => (i * 31 + (i >> 9)) & 255)

/** Answers at once, so that nobody waits in the thread that is to answer. */
const answering = (bytes: Uint8Array, isGone: (position: number) => boolean = () => false) => ({
  ask: (position: number, length: number, window: Window): void => {
    if (isGone(position)) window.fail('the worker is dead')
    else window.fill(bytes.subarray(position, position + length))
  },
  failure: (why: string) => new Error(`failed: ${why}`),
})

test('pieces of any size, read in order, are the bytes of the segment', () => {
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(2 * FETCH_BYTES_MAX)), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(fc.nat(THERE.length), fc.nat(THERE.length), sizes, (one, other, lengths) => {
      const [offset, end] = [Math.min(one, other), Math.max(one, other)]
      const file = new FetchedFile('there', { offset, bytes: end - offset, records: 1 }, answering(THERE))
      let at = offset
      for (const length of lengths) {
        const into = new Uint8Array(length + 3).subarray(3)
        const count = file.read(into, at)
        expect(count).toBe(Math.min(length, end - at))
        expect(Buffer.compare(into.subarray(0, count), THERE.subarray(at, at + count))).toBe(0)
        at += count
      }
      file.close()
    }),
    { numRuns: 60 },
  )
})

test('what is not there fails where it is read, and no earlier', () => {
  const isGone = (position: number): boolean => position >= FETCH_BYTES_MAX
  const segment = { offset: 0, bytes: THERE.length, records: 1 }
  const file = new FetchedFile('there', segment, answering(THERE, isGone))
  const first = new Uint8Array(FETCH_BYTES_MAX)
  expect(file.read(first, 0)).toBe(FETCH_BYTES_MAX)
  expect(() => file.read(new Uint8Array(1), FETCH_BYTES_MAX)).toThrow('failed: the worker is dead')
})

test('a window that an answer may still come into is not used again', () => {
  const asked: Window[] = []
  const never = {
    ...answering(THERE),
    ask: (_at: number, _length: number, window: Window) => asked.push(window),
  }
  const segment = { offset: 0, bytes: 10, records: 1 }
  const given = new FetchedFile('there', segment, never)
  given.close()
  const next = new FetchedFile('there', segment, never)
  const [late, mine] = asked
  mine?.fill(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
  late?.fill(new Uint8Array(10))
  const into = new Uint8Array(10)
  next.read(into, 0)
  expect([...into]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

const job = defineJob<string, string, number, string, number>({
  map() {
    // Its outputs are there already.
  },
  reduce(key, values, emit) {
    emit(
      key,
      [...values].reduce((sum, value) => sum + value, 0),
    )
  },
})

/** One map's output at another worker, in two spills of some megabytes, and the reduce that reads it. */
function oneMap(keys = 50_000): { readonly bytes: Uint8Array; readonly segments: Segment[] } {
  const files = new MemoryFiles()
  const output = new MapOutput<string, number>({ files, path: 'map', partitions: 1, budgetBytes: 2 ** 22 })
  for (let i = 0; i < 100_000; i++) output.emit(`key ${String(i % keys).padStart(20, '0')}`, 1)
  output.finish()
  const segments = readIndex(files.open('map')).flatMap((spill) => spill[0] ?? [])
  return { bytes: files.get('map'), segments }
}

function reduceOf(
  { bytes, segments }: ReturnType<typeof oneMap>,
  isGone: (position: number) => boolean = () => false,
  skipMax = 0,
): { readonly files: MemoryFiles; readonly result: ReturnType<typeof runReduce> } {
  const files = new MemoryFiles()
  const source = { map: 7, attempt: 2, worker: 'w1', path: 'w1 map-7', segments, address: 'tcp://there' }
  const work: ReduceWork = {
    kind: 'reduce',
    attempt: { kind: 'reduce', task: 0, attempt: 1, worker: 'w2' },
    ...{ parameters: {}, reduces: 1, plan: '', budgetBytes: 2 ** 22, seed: 0, skip: [], skipMax },
    ...{ filesPath: 'out.', scratchPath: 'scratch', sources: [source] },
  }
  const result = runReduce(job, work, {
    files,
    openInput: () => Promise.reject(new Error('a reduce has none')),
    openThere: (name, { map, attempt, worker }, segment) =>
      new FetchedFile(name, segment, {
        ...answering(bytes, isGone),
        failure: (why) => new FetchFailed([{ map, attempt, worker, corrupt: false, why }]),
      }),
    signal: new AbortController().signal,
    progress: new Progress(),
    onStatus: () => undefined,
    userStack: () => '',
  })
  return { files, result }
}

test('a reduce merges segments that are elsewhere, side by side', async () => {
  const map = oneMap()
  expect(map.segments.length).toBeGreaterThan(1)
  expect(Math.max(...map.segments.map(({ bytes }) => bytes))).toBeGreaterThan(2 * FETCH_BYTES_MAX)
  const { files, result } = reduceOf(map)
  expect((await result).recordsIn).toBe(100_000)
  const lines = new TextDecoder().decode(files.get('out.part-00000')).trimEnd().split('\n')
  expect(lines.length).toBe(50_000)
  expect(lines.at(-1)).toBe(`key ${'49999'.padStart(20, '0')}\t2`)
})

// With two keys the bytes are missed while a key's values are gone through.
const halfway = [
  { keys: 50_000, skipMax: 0 },
  { keys: 50_000, skipMax: 5 },
  { keys: 2, skipMax: 0 },
  { keys: 2, skipMax: 5 },
]

test.each(halfway)(
  'its worker dies halfway: the map is named, and no key is to blame (%o)',
  async ({ keys, skipMax }) => {
    const map = oneMap(keys)
    const middle = map.bytes.length / 2
    const { result } = reduceOf(map, (position) => position > middle, skipMax)
    await expect(result).rejects.toMatchObject({
      failures: [{ map: 7, attempt: 2, worker: 'w1', corrupt: false, why: 'the worker is dead' }],
    })
  },
)

test.each(halfway)(
  'a block that came damaged: the map that wrote it is named (%o)',
  async ({ keys, skipMax }) => {
    const map = oneMap(keys)
    const at = (map.segments[1]?.offset ?? 0) + FETCH_BYTES_MAX + 1000
    map.bytes[at] = (map.bytes[at] ?? 0) ^ 4
    const { result } = reduceOf(map, undefined, skipMax)
    await expect(result).rejects.toMatchObject({ failures: [{ map: 7, worker: 'w1', corrupt: true }] })
  },
)
