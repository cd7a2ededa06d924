/** Words are maximal runs of ASCII letters. Two ways to count them that give the same: WebAssembly, and the reference. */
import { pairBlocks, type PairsEngine } from '../data/pair-blocks.ts'
import { Engines } from './engines.ts'
import type { KernelOutput } from './kernel.ts'
import { TOKENS_MODULE } from './tokens-module.ts'

export interface TokenCounter {
  /** Where bytes are to be put for {@link count}, as many as there is room for. */
  readonly input: Uint8Array
  /**
   * Counts the words of the first `length` bytes and says how many bytes are done: fewer when the last word may go on behind
   * them. `isLast` says that nothing follows.
   */
  count(length: number, isLast: boolean): number
  /** Gives the output what is still kept, and ends. */
  finish(): void
}

const INPUT_BYTES = 1 << 18

export function isLetter(byte: number): boolean {
  return ((byte | 0x20) - 97) >>> 0 < 26
}

/** Byte by byte, in JavaScript: what the other must agree with, and what runs where there is no WebAssembly with SIMD. */
export class PlainTokenCounter implements TokenCounter {
  readonly input = new Uint8Array(INPUT_BYTES)
  readonly #output: KernelOutput

  constructor(output: KernelOutput) {
    this.#output = output
  }

  count(length: number, isLast: boolean): number {
    const bytes = this.input
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

interface TokensEngine extends PairsEngine {
  readonly INPUT_BYTES: { readonly value: number }
  input(): number
  pairs(): number
  init(log2: number): void
  reset(): void
  isFull(): number
  count(from: number, to: number, isLast: number): number
  drain(): number
  sort(partitions: number): void
}

const engines = new Engines<TokensEngine>(TOKENS_MODULE)
/** 2^20 words of 16 bytes: 16 MB, drained when five eighths are taken, and as much again to put them in order. */
const SLOTS_LOG2_MAX = 20
/** One round of words must fit in five eighths of them. */
const SLOTS_LOG2_MIN = 14

export class WasmTokenCounter implements TokenCounter {
  readonly input: Uint8Array
  readonly #engine: TokensEngine
  readonly #output: KernelOutput

  private constructor(output: KernelOutput, engine: TokensEngine, budgetBytes: number) {
    this.#output = output
    this.#engine = engine
    const log2 = Math.floor(Math.log2(Math.max(1, budgetBytes / 64)))
    engine.init(Math.min(SLOTS_LOG2_MAX, Math.max(SLOTS_LOG2_MIN, log2)))
    this.input = new Uint8Array(engine.memory.buffer, engine.input(), engine.INPUT_BYTES.value)
  }

  /** Undefined where WebAssembly or its SIMD is missing. */
  static create(output: KernelOutput, budgetBytes: number): WasmTokenCounter | undefined {
    const engine = engines.borrow()
    return engine && new WasmTokenCounter(output, engine, budgetBytes)
  }

  count(length: number, isLast: boolean): number {
    for (let from = 0; ;) {
      const next = this.#engine.count(from, length, isLast ? 1 : 0)
      if (this.#engine.isFull() === 0) return next
      this.#spill()
      from = next
    }
  }

  finish(): void {
    this.#spill()
    engines.giveBack(this.#engine)
  }

  #spill(): void {
    const engine = this.#engine
    const output = this.#output
    const length = engine.drain()
    if (output.isHashed) {
      engine.sort(output.partitions)
      output.spillBlocks((partition) => pairBlocks(engine, partition))
    } else output.spillDistinct([new Uint8Array(engine.memory.buffer, engine.pairs(), length)])
    engine.reset()
  }
}
