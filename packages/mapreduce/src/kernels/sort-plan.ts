/**
 * Which records go to which part, so that the parts are in order one after the other: the borders between them are records
 * of the input, picked from all over it (MapReduce §4.1 has the user's function; TeraSort samples).
 */
import { compareBytes } from '../data/compare.ts'
import type { KernelInput } from './kernel.ts'

/** Parts differ in size by a few parts in a hundred with so many picked for each. */
const SAMPLES_PER_PART = 400
/** Of a record; those that are equal so far go to the same part. */
const BORDER_BYTES_MAX = 64

/** The borders as text; '' when there is nothing to pick from. */
export function planSort(input: KernelInput, width: number): string {
  const { files, partitions } = input
  const plain = files.filter(({ file }) => !file.endsWith('.gz'))
  const counts = plain.map(({ fileBytes }) => Math.floor(fileBytes / width))
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0 || partitions === 1) return ''
  const bytes = Math.min(width, BORDER_BYTES_MAX)
  const wanted = Math.min(total, SAMPLES_PER_PART * partitions)
  const picked: Uint8Array[] = []
  let [file, before] = [0, 0]
  for (let i = 0; i < wanted; i++) {
    const record = Math.floor(((i + jitter(i)) * total) / wanted)
    while (record - before >= (counts[file] as number)) before += counts[file++] as number
    const { file: name = '' } = plain[file] ?? {}
    picked.push(input.read(name, (record - before) * width, bytes))
  }
  picked.sort((a, b) => compareBytes(a, 0, a.length, b, 0, b.length))
  const borders = Array.from(
    { length: partitions - 1 },
    (_, i) => picked[Math.floor(((i + 1) * wanted) / partitions)] as Uint8Array,
  )
  return `${String(bytes)} ${Buffer.concat(borders).toString('base64')}`
}

/** The part of the record at a place of `bytes`: as many borders as are not behind it. Undefined without a plan. */
export function partitionByPlan(plan: string): ((bytes: Uint8Array, at: number) => number) | undefined {
  const [size = '', encoded = ''] = plan.split(' ')
  if (plan === '') return undefined
  const length = Number(size)
  const borders = new Uint8Array(Buffer.from(encoded, 'base64'))
  return (bytes, at) => {
    let [low, high] = [0, borders.length / length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const border = middle * length
      if (compareBytes(borders, border, border + length, bytes, at, at + length) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Always the same from 0 to 1, so that equal input gives equal plans; without a period that the input could share. */
function jitter(i: number): number {
  return ((Math.imul(i + 1, 0x9e3779b1) >>> 8) & 0xffff) / 0x10000
}
