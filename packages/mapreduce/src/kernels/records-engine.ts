/** wasm/records.ts as it is used here: memory for one task at a time, lent and given back. */
import { Engines } from './engines.ts'
import { RECORDS_MODULE } from './records-module.ts'

export interface RecordsEngine {
  readonly memory: { readonly buffer: ArrayBuffer }
  layoutSort(width: number, capacity: number, windowRecords: number, outBytes: number): void
  window(): number
  scatter(count: number): void
  clear(): void
  records(): number
  places(): number
  entries(): number
  spare(): number
  out(): number
  sortNext(): number
  gather(from: number, to: number, headerBytes: number, header: number, at: number): number
  layoutMerge(width: number, runs: number, headerBytes: number, blockBytes: number, outBytes: number): void
  blockOf(run: number): number
  packed(): number
  unpack(run: number, pairs: number): void
  feed(run: number, bytes: number): void
  merge(): number
  mergedAt(): number
  take(): number
}

export const recordsEngines = new Engines<RecordsEngine>(RECORDS_MODULE)
