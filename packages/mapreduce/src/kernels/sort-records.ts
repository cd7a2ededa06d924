/** The paper's sort (MapReduce §5.3) for records of one width: no record becomes an object on its way. */
import { fixedWidth } from '../data/byte-formats.ts'
import { DataError } from '../data/errors.ts'
import { unpacked } from '../data/gzip-format.ts'
import { hashBytes } from '../data/hash.ts'
import { bytesKey } from '../data/keys.ts'
import { readInto } from '../data/record-windows.ts'
import { bytesValue } from '../data/values.ts'
import type { OutputFormat } from '../formats.ts'
import { defineJob, type Job } from '../job.ts'
import type { Kernel, KernelRun } from './kernel.ts'
import { mergeRecords } from './merge-records.ts'
import { pairShape } from './record-pairs.ts'
import { RecordSorter } from './record-sorter.ts'
import { partitionByPlan, planSort } from './sort-plan.ts'

const BLOCK_BYTES = 1 << 20
const NOTHING = new Uint8Array(0)

/** The keys' bytes, one after the other, without anything between them. */
const rawKeys: OutputFormat<Uint8Array, Uint8Array> = { name: 'raw keys', encode: (key) => key }

/** The part for the record whose bytes begin at `start`. */
export type RecordPartition = (bytes: Uint8Array, start: number, partitions: number) => number

export interface SortRecordsOptions {
  /** Bytes of each record. They are sorted by all of them: a key comes first in its record. */
  readonly width: number
  /**
   * Which part a record is in. Default: by borders picked from all over the input, so that the parts are of like size and in
   * order one after the other.
   */
  readonly partition?: RecordPartition
}

/** Sorts records, equal ones kept. */
export function sortRecords({ width, partition }: SortRecordsOptions): Job<
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array
> & {
  readonly kernel: Kernel
} {
  const job = defineJob<Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array>({
    name: 'sort',
    input: fixedWidth(width),
    key: bytesKey,
    value: bytesValue,
    output: rawKeys,
    map(record, emit) {
      emit(record, NOTHING)
    },
    reduce(record, copies, emit) {
      for (const nothing of copies) emit(record, nothing)
    },
  })
  if (partition === undefined) return { ...job, kernel: sortKernel(width) }
  return {
    ...job,
    partition: (record, partitions) => partition(record, 0, partitions),
    kernel: sortKernel(width, partition),
  }
}

/** @param isPlain the reference: without WebAssembly */
export function sortKernel(width: number, partition?: RecordPartition, isPlain = false): Kernel {
  const shape = isPlain ? undefined : pairShape(width)
  const own: Pick<Kernel, 'plan' | 'partition'> = {
    plan: (input) => planSort(input, width),
    partition(plan) {
      const byPlan = partitionByPlan(plan)
      return byPlan && ((key) => byPlan(key as Uint8Array, 0))
    },
  }
  return {
    name: 'sort',
    splittable: true,
    ...(partition === undefined ? own : {}),
    async map(run) {
      const { output, plan } = run
      const { partitions } = output
      const byPlan = partition === undefined ? partitionByPlan(plan) : undefined
      const partitionAt =
        byPlan ??
        (partition !== undefined
          ? (bytes: Uint8Array, at: number) => partition(bytes, at, partitions)
          : (bytes: Uint8Array, at: number) => hashBytes(bytes, at, at + width) % partitions)
      const sorter =
        shape && RecordSorter.create(output, shape, partitionAt, byPlan !== undefined || partitions === 1)
      if (sorter === undefined) {
        const block = new Uint8Array(Math.max(1, Math.floor(BLOCK_BYTES / width)) * width)
        await readRecords(
          run,
          width,
          () => block,
          (bytes) => {
            output.emitKeys(bytes, width, (at) => partitionAt(bytes, at))
          },
        )
        return
      }
      await readRecords(
        run,
        width,
        () => sorter.room,
        (bytes) => {
          sorter.add(bytes.length / width)
        },
      )
      sorter.finish()
    },
    reduce(reduce) {
      if (shape !== undefined && mergeRecords(reduce, shape)) return
      const { run, part, onProgress } = reduce
      for (let pairs = 0; run.next(); pairs++) {
        part.writeSlice(run.bytes, run.pair.keyStart, run.pair.keyEnd)
        if (pairs % 1024 === 0) onProgress(pairs)
      }
    },
  }
}

/** Reads the records that begin in the split, some at a time, into `room`, and has them taken from there. */
async function readRecords(
  { input, split, onProgress }: KernelRun,
  width: number,
  room: () => Uint8Array,
  take: (records: Uint8Array) => void,
): Promise<void> {
  const isPacked = split.file.endsWith('.gz')
  const source = isPacked ? unpacked(input) : input
  const end = isPacked ? Infinity : Math.min(Math.ceil(split.end / width) * width, input.size)
  const atOnce = Math.max(1, Math.floor(BLOCK_BYTES / width)) * width
  for (let position = Math.ceil(split.start / width) * width; position < end;) {
    const into = room()
    const bytes = into.subarray(0, Math.min(atOnce, into.length, end - position))
    const length = await readInto(source, bytes, position)
    if (length === 0 && isPacked) return
    if (length === 0 || length % width !== 0)
      throw new DataError(
        'BAD_RECORD',
        `the record at byte ${position + length - (length % width)} has no ${width} bytes`,
      )
    take(bytes.subarray(0, length))
    position += length
    if (!isPacked) onProgress(position)
  }
}
