/** wasm/records.ts as it is used here: memory for one task at a time, lent and given back. */
import { compileModule, instantiate } from './instantiate.ts'
import { RECORDS_MODULE } from './records-module.ts'

export interface RecordsEngine {
  readonly memory: { readonly buffer: ArrayBuffer }
  layoutSort(width: number, capacity: number, outBytes: number): void
  records(): number
  entries(): number
  spare(): number
  out(): number
  sort(count: number): void
  gather(from: number, to: number, headerBytes: number, header: number, at: number): void
  layoutMerge(width: number, runs: number, headerBytes: number, blockBytes: number, outBytes: number): void
  blockOf(run: number): number
  feed(run: number, bytes: number): void
  merge(): number
  mergedAt(): number
  take(): number
}

/** Compiled once, when first asked for; null when that failed. */
let compiled: object | null | undefined
const idle: RecordsEngine[] = []

/** Undefined where WebAssembly or its SIMD is missing. */
export function borrowEngine(): RecordsEngine | undefined {
  if (compiled === undefined) compiled = compileModule(Buffer.from(RECORDS_MODULE, 'base64')) ?? null
  if (compiled === null) return undefined
  return idle.pop() ?? (instantiate(compiled) as RecordsEngine)
}

/** Its memory serves the next task: whoever failed in between need not give it back. */
export function giveBack(engine: RecordsEngine): void {
  idle.push(engine)
}
