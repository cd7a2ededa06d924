/** Instances of a module of WebAssembly, lent to one task at a time: memory that has grown serves the next. */
import { compileModule, instantiate } from './instantiate.ts'

export class Engines<E> {
  readonly #module: string
  /** Compiled once, when first asked for; null when that failed. */
  #compiled: object | null | undefined
  readonly #idle: E[] = []

  /** @param module in base 64 @typeParam E what it exports */
  constructor(module: string) {
    this.#module = module
  }

  /** Undefined where WebAssembly or its SIMD is missing. */
  borrow(): E | undefined {
    if (this.#compiled === undefined)
      this.#compiled = compileModule(Buffer.from(this.#module, 'base64')) ?? null
    if (this.#compiled === null) return undefined
    return this.#idle.pop() ?? (instantiate(this.#compiled) as E)
  }

  /** Whoever failed in between need not give it back. */
  giveBack(engine: E): void {
    this.#idle.push(engine)
  }
}
