/** Words are maximal runs of ASCII letters. Two ways to count them that give the same: WebAssembly, and the reference. */
import type { KernelOutput } from './kernel.ts'
import { compileModule, instantiate } from './instantiate.ts'
import { TOKENS_MODULE } from './tokens-module.ts'

export interface TokenCounter {
  /** Bytes that {@link count} takes at a time, at most. */
  readonly bytesMax: number
  /**
   * Counts the words of `bytes` and says how many bytes are done: fewer when the last word may go on behind them. `isLast`
   * says that nothing follows.
   */
  count(bytes: Uint8Array, isLast: boolean): number
  /** Gives the output what is still kept. */
  finish(): void
}

export function isLetter(byte: number): boolean {
  return ((byte | 0x20) - 97) >>> 0 < 26
}

/** Byte by byte, in JavaScript: what the other must agree with, and what runs where there is no WebAssembly with SIMD. */
export class PlainTokenCounter implements TokenCounter {
  readonly bytesMax = 1 << 20
  readonly #output: KernelOutput

  constructor(output: KernelOutput) {
    this.#output = output
  }

  count(bytes: Uint8Array, isLast: boolean): number {
    const { length } = bytes
    for (let at = 0; at < length;) {
      while (at < length && !isLetter(bytes[at] as number)) at++
      const start = at
      while (at < length && isLetter(bytes[at] as number)) at++
      if (at === length && !isLast) return start
      if (at > start) this.#output.emitBytes(bytes, start, at, 1)
    }
    return length
  }

  finish(): void {}
}

interface TokensModule {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly INPUT_BYTES: { readonly value: number }
  input(): number
  pairs(): number
  init(log2: number): void
  reset(): void
  isFull(): number
  count(from: number, to: number, isLast: number): number
  drain(): number
}

/** 2^20 words of 16 bytes: 16 MB, drained when five eighths are taken. */
const SLOTS_LOG2_MAX = 20
/** One round of words must fit in five eighths of them. */
const SLOTS_LOG2_MIN = 14

/** Compiled once, when first asked for; null when that failed. */
let compiled: object | null | undefined

export class WasmTokenCounter implements TokenCounter {
  readonly bytesMax: number
  readonly #module: TokensModule
  readonly #input: Uint8Array
  readonly #output: KernelOutput

  private constructor(output: KernelOutput, module: TokensModule, budgetBytes: number) {
    this.#output = output
    this.#module = module
    const log2 = Math.floor(Math.log2(Math.max(1, budgetBytes / 64)))
    module.init(Math.min(SLOTS_LOG2_MAX, Math.max(SLOTS_LOG2_MIN, log2)))
    this.bytesMax = module.INPUT_BYTES.value
    this.#input = new Uint8Array(module.memory.buffer, module.input(), this.bytesMax)
  }

  /** Undefined where WebAssembly or its SIMD is missing. */
  static create(output: KernelOutput, budgetBytes: number): WasmTokenCounter | undefined {
    if (compiled === undefined) compiled = compileModule(Buffer.from(TOKENS_MODULE, 'base64')) ?? null
    if (compiled === null) return undefined
    return new WasmTokenCounter(output, instantiate(compiled) as TokensModule, budgetBytes)
  }

  count(bytes: Uint8Array, isLast: boolean): number {
    this.#input.set(bytes)
    for (let from = 0; ;) {
      const next = this.#module.count(from, bytes.length, isLast ? 1 : 0)
      if (this.#module.isFull() === 0) return next
      this.finish()
      from = next
    }
  }

  finish(): void {
    const module = this.#module
    this.#output.spillDistinct(this.#drained())
    module.reset()
  }

  *#drained(): Generator<Uint8Array, void, undefined> {
    const module = this.#module
    for (let length = module.drain(); length > 0; length = module.drain())
      yield new Uint8Array(module.memory.buffer, module.pairs(), length)
  }
}
