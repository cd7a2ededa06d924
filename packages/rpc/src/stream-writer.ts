import type { RpcError } from './errors.ts'
import { itemCost } from './protocol.ts'
import type { ServerCall } from './server-call.ts'
import type { StreamMethod } from './service.ts'

/** What a writer needs of its connection. */
export interface ItemPort {
  /** @throws when the item does not fit a message */
  sendItem(call: ServerCall, sequence: number, body: Uint8Array): void
  sendEnd(call: ServerCall, count: number): void
  sendFailure(call: ServerCall, thrown: unknown): void
}

/** The writing end of a stream: takes an item from the handler only when the reader has room for it. */
export class StreamWriter {
  readonly call: ServerCall
  readonly #port: ItemPort
  #creditBytes: number
  #sentBytes = 0
  #sent = 0
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined
  #wake: (() => void) | undefined

  constructor(call: ServerCall, port: ItemPort, creditBytes: number) {
    this.call = call
    this.#port = port
    this.#creditBytes = creditBytes
  }

  /** Items sent so far. */
  get sent(): number {
    return this.#sent
  }

  /** The reader has room for `total` bytes, counted from the start; less than before is old news. */
  onCredit(total: number): void {
    this.#creditBytes = Math.max(this.#creditBytes, total)
    this.#wakeUp()
  }

  /** Nobody reads any more: the handler's iterator is asked to return. */
  stop(reason: RpcError): void {
    if (this.call.isAbandoned) return
    this.call.abandon(reason)
    this.#wakeUp()
    void this.#returnIterator()
  }

  /** Sends everything that the handler yields, then the end, or its error. Resolves when there is nothing more to do. */
  async pump(items: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    try {
      this.#iterator = iteratorOf(items)
      while (await this.#sendNext(this.#iterator));
      if (!this.call.isAbandoned) this.#port.sendEnd(this.call, this.#sent)
    } catch (thrown) {
      if (!this.call.isAbandoned) this.#port.sendFailure(this.call, thrown)
    }
  }

  /** @returns whether there may be more */
  async #sendNext(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<boolean> {
    await this.#hasRoom()
    if (this.call.isAbandoned) return false
    const next = await iterator.next()
    if (this.call.isAbandoned || next.done === true) return false
    const body = (this.call.method.method as StreamMethod<unknown, unknown>).item.encode(next.value)
    this.#port.sendItem(this.call, this.#sent + 1, body)
    this.#sent++
    this.#sentBytes += itemCost(body)
    return true
  }

  async #hasRoom(): Promise<void> {
    while (this.#sentBytes >= this.#creditBytes && !this.call.isAbandoned)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }

  async #returnIterator(): Promise<void> {
    try {
      await this.#iterator?.return?.()
    } catch {
      // It had nobody to tell.
    }
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

function iteratorOf(
  items: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
}
