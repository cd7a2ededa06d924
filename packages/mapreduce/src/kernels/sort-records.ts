/** The paper's sort (MapReduce §5.3) for records of one width: no record becomes an object on its way. */
import { fixedWidth } from '../data/byte-formats.ts'
import { DataError } from '../data/errors.ts'
import { bytesKey } from '../data/keys.ts'
import { readAt } from '../data/record-windows.ts'
import { bytesValue } from '../data/values.ts'
import type { OutputFormat } from '../formats.ts'
import { defineJob, type Job } from '../job.ts'
import type { Kernel } from './kernel.ts'

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
   * Which part a record is in. For parts that are in order one after the other, it must rise with the records; the default
   * spreads them by a hash, and `lab mr cat` merges the parts.
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

function sortKernel(width: number, partition?: RecordPartition): Kernel {
  return {
    name: 'sort',
    splittable: true,
    async map({ input, split, output, onProgress }) {
      const atOnce = Math.max(1, Math.floor(BLOCK_BYTES / width)) * width
      const end = Math.min(Math.ceil(split.end / width) * width, input.size)
      for (let position = Math.ceil(split.start / width) * width; position < end;) {
        const bytes = await readAt(input, position, Math.min(atOnce, end - position))
        if (bytes.length === 0 || bytes.length % width !== 0)
          throw new DataError(
            'BAD_RECORD',
            `the record at byte ${position + bytes.length - (bytes.length % width)} has no ${width} bytes`,
          )
        const { partitions } = output
        const partitionAt = (at: number): number => partition?.(bytes, at, partitions) ?? 0
        output.emitKeys(bytes, width, partition === undefined ? undefined : partitionAt)
        position += bytes.length
        onProgress(position)
      }
    },
    reduce(run, part) {
      while (run.next()) part.writeSlice(run.bytes, run.pair.keyStart, run.pair.keyEnd)
    },
  }
}
