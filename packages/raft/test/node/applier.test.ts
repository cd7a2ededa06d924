import { jsonCodec, type Clock } from '@lab/rpc'
import { ManualClock } from '@lab/rpc/testing'
import { expect, test } from 'vitest'
import { EntryKind, type Entry } from '../../src/entry.ts'
import { makeEntry } from '../../src/record.ts'
import { Applier } from '../../src/rsm/applier.ts'
import { ReplicatedMachine } from '../../src/rsm/replicated-machine.ts'

const codec = jsonCodec<unknown>()
const codecs = { codec, resultCodec: codec, queryCodec: codec, answerCodec: codec }
const unhurried = { restPerSlice: () => 0, onStarting: () => undefined }
const entryAt = (index: number): Entry =>
  makeEntry({ group: 0, kind: EntryKind.noop, index, term: 1, time: 1, payload: new Uint8Array(0) })

test('entries on disk are read while those before them are applied, each once and in order', async () => {
  const reads: number[] = []
  const seen: { readonly applied: number; readonly reads: number }[] = []
  const read = (first: number, last: number): Promise<Entry[]> => {
    reads.push(first)
    return Promise.resolve([entryAt(first), entryAt(first + 1)].filter(({ index }) => index <= last))
  }
  await new Promise<void>((resolve, onFailure) => {
    const applier = new Applier({
      ...{ clock: new ManualClock(), storage: { read }, onFailure, stored: 9, ...unhurried },
      machine: new ReplicatedMachine({ machine: null, ...codecs }),
      onApplied: ({ index }) => seen.push({ applied: index, reads: reads.length }),
      onProgress: (index) => {
        if (index === 5) resolve()
      },
    })
    applier.pushRange(1, 5)
  })
  expect(reads).toEqual([1, 3, 5])
  // When the first of a read is applied, the next read has begun.
  expect(seen).toEqual([
    { applied: 1, reads: 2 },
    { applied: 2, reads: 2 },
    { applied: 3, reads: 3 },
    { applied: 4, reads: 3 },
    { applied: 5, reads: 3 },
  ])
})

test('a read that fails ahead of its turn stops nothing before it', async () => {
  const applied: number[] = []
  const read = (first: number): Promise<Entry[]> =>
    first === 1 ? Promise.resolve([entryAt(1)]) : Promise.reject(new Error('the disk is gone'))
  const failure = await new Promise<Error>((onFailure) => {
    const applier = new Applier({
      ...{ clock: new ManualClock(), storage: { read }, onFailure, stored: 9, ...unhurried },
      machine: new ReplicatedMachine({ machine: null, ...codecs }),
      onApplied: ({ index }) => applied.push(index),
      onProgress: () => undefined,
    })
    applier.pushRange(1, 3)
  })
  expect(applied).toEqual([1])
  expect(failure.message).toBe('the disk is gone')
})

test('what is committed while a job runs is read back when it is its turn, in one range, and takes no memory before', async () => {
  const reads: [number, number][] = []
  const applied: number[] = []
  const read = (first: number, last: number): Promise<Entry[]> => {
    reads.push([first, last])
    return Promise.resolve(Array.from({ length: last - first + 1 }, (_, i) => entryAt(first + i)))
  }
  let endJob: () => void = () => undefined
  await new Promise<void>((resolve, onFailure) => {
    const applier = new Applier({
      ...{ clock: new ManualClock(), storage: { read }, onFailure, stored: 9, ...unhurried },
      machine: new ReplicatedMachine({ machine: null, ...codecs }),
      onApplied: ({ index }) => applied.push(index),
      onProgress: (index) => {
        if (index === 6) resolve()
      },
    })
    applier.exclusive(
      () =>
        new Promise((resolve) => {
          endJob = resolve
        }),
    )
    applier.push([entryAt(1), entryAt(2)])
    applier.pushRange(3, 4)
    applier.push([entryAt(5), entryAt(6)])
    expect(reads).toEqual([])
    endJob()
  })
  expect(reads).toEqual([[1, 6]])
  expect(applied).toEqual([1, 2, 3, 4, 5, 6])
})

test('the log of a start is applied with rests of the length asked for, its end and what comes later without; it says when it is at work', async () => {
  expect(await startOf({ stored: 80, restPerSlice: 2 })).toEqual({ rests: [10, 0], told: [true, false] })
  expect(await startOf({ stored: 80, restPerSlice: 0 })).toEqual({ rests: [0, 0], told: [true, false] })
  expect(await startOf({ stored: 10, restPerSlice: 2 })).toEqual({ rests: [0, 0], told: [true, false] })
  expect(await startOf({ stored: 0, restPerSlice: 2 })).toEqual({ rests: [0, 0], told: [] })
})

/** How long it rests, in two reads of which each takes longer than a slice, and what it tells of its work. */
async function startOf({
  stored,
  restPerSlice,
}: {
  readonly stored: number
  readonly restPerSlice: number
}): Promise<{ readonly rests: readonly number[]; readonly told: readonly boolean[] }> {
  const rests: number[] = []
  const told: boolean[] = []
  let now = 0
  const clock: Clock = {
    now: () => now,
    wallTime: () => now,
    setTimer: (delay, callback) => {
      rests.push(delay)
      queueMicrotask(callback)
      return { cancel: () => undefined }
    },
  }
  const read = (first: number): Promise<Entry[]> =>
    Promise.resolve(Array.from({ length: 40 }, (_, i) => entryAt(first + i)))
  await new Promise<void>((resolve, onFailure) => {
    const applier = new Applier({
      ...{ clock, storage: { read }, onFailure, stored, restPerSlice: () => restPerSlice },
      machine: new ReplicatedMachine({ machine: null, ...codecs }),
      onApplied: () => (now += 0.2),
      onProgress: () => undefined,
      onStarting: (atWork) => {
        if (atWork !== (told.at(-1) ?? false)) told.push(atWork)
        if (!atWork && applier.lastApplied === 80) resolve()
      },
    })
    applier.pushRange(1, 80)
  })
  return { rests, told }
}
