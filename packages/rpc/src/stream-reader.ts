import { ProtocolError, RpcError } from './errors.ts'
import type { ItemMessage } from './messages.ts'
import { itemCost } from './protocol.ts'
import { Queue } from './queue.ts'
import type { NamedMethod, StreamMethod } from './service.ts'

/** What a reader needs of its connection. */
export interface StreamPort {
  /** Lets the server send `total` bytes of items, counted from the start. */
  grant(id: number, total: number): void
  /** The reader has gone: with `cancel` the server is to be told. */
  release(id: number, cancel: boolean): void
}

/**
 * The reading end of a server-to-client stream. Holds at most a window of items: the server sends no more than was
 * granted, and more is granted as items are taken. A missing item fails it with `GAP`; it never waits for one that was
 * lost.
 */
export class StreamReader implements AsyncIterator<unknown> {
  readonly id: number
  readonly #method: NamedMethod
  readonly #port: StreamPort
  readonly #windowBytes: number
  readonly #items = new Queue<{ readonly value: unknown; readonly cost: number }>()
  #received = 0
  #consumedBytes = 0
  #grantedBytes: number
  #isEnded = false
  #isReleased = false
  #error: RpcError | undefined
  #waiting: { resolve(result: IteratorResult<unknown>): void; reject(error: Error): void } | undefined
  /** Items came since the last {@link takeQuiet}. */
  #isActive = false

  constructor(id: number, method: NamedMethod, port: StreamPort, windowBytes: number) {
    this.id = id
    this.#method = method
    this.#port = port
    this.#windowBytes = windowBytes
    this.#grantedBytes = windowBytes
  }

  get grantedBytes(): number {
    return this.#grantedBytes
  }

  onItem(message: ItemMessage): void {
    if (this.#isEnded) return
    this.#isActive = true
    if (message.sequence <= this.#received) return // came twice
    if (message.sequence !== this.#received + 1) {
      this.#failWithGap(`item ${String(message.sequence)} came after item ${String(this.#received)}`)
      return
    }
    this.#received++
    let value: unknown
    try {
      value = (this.#method.method as StreamMethod<unknown, unknown>).item.decode(message.body)
    } catch (cause) {
      this.fail(
        new RpcError('PROTOCOL', `an item of ${this.#method.label} makes no sense`, {
          cause,
          executed: 'yes',
        }),
      )
      return
    }
    const item = { value, cost: itemCost(message.body) }
    if (this.#waiting !== undefined) this.#hand(item)
    else this.#items.push(item)
  }

  onEnd(count: number): void {
    if (this.#isEnded) return
    if (count !== this.#received) {
      this.#failWithGap(`${String(count)} items were sent, ${String(this.#received)} came`)
      return
    }
    this.#isEnded = true
    this.#release(false)
    this.#waiting?.resolve({ done: true, value: undefined })
    this.#waiting = undefined
  }

  /** The server says how many items it has sent, in answer to a question: all of them should be here by now. */
  onStatus(sent: number): void {
    if (sent < this.#received) throw new ProtocolError('a stream that has sent less than arrived')
    if (!this.#isEnded && sent > this.#received)
      this.#failWithGap(`${String(sent)} items were sent, ${String(this.#received)} came`)
  }

  /** Ends the stream. Items that came before are still handed out. */
  fail(error: RpcError, options: { readonly cancel: boolean } = { cancel: true }): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#error = error
    this.#release(options.cancel)
    if (this.#waiting === undefined) return
    this.#error = undefined
    this.#waiting.reject(error)
    this.#waiting = undefined
  }

  /** Has nothing come since the last time this was asked? Then it is worth asking the server. */
  takeQuiet(): boolean {
    const isQuiet = !this.#isActive
    this.#isActive = false
    return isQuiet
  }

  next(): Promise<IteratorResult<unknown>> {
    const item = this.#items.shift()
    if (item !== undefined) {
      this.#consume(item.cost)
      return Promise.resolve({ done: false, value: item.value })
    }
    if (this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      return Promise.reject(error)
    }
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined })
    if (this.#waiting !== undefined)
      return Promise.reject(
        new RpcError('BAD_REQUEST', 'one reader at a time: await next() before calling it again'),
      )
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** The reader stops early: the server is told. */
  return(): Promise<IteratorResult<unknown>> {
    this.#items.clear()
    this.#isEnded = true
    this.#error = undefined
    this.#release(true)
    this.#waiting?.resolve({ done: true, value: undefined })
    this.#waiting = undefined
    return Promise.resolve({ done: true, value: undefined })
  }

  #hand(item: { readonly value: unknown; readonly cost: number }): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#consume(item.cost)
    waiting?.resolve({ done: false, value: item.value })
  }

  #consume(cost: number): void {
    this.#consumedBytes += cost
    // Half a window at a time: not a message for each item.
    const wanted = this.#consumedBytes + this.#windowBytes
    if (this.#isReleased || wanted - this.#grantedBytes < this.#windowBytes / 2) return
    this.#grantedBytes = wanted
    this.#port.grant(this.id, wanted)
  }

  #failWithGap(why: string): void {
    this.fail(new RpcError('GAP', `${this.#method.label} lost an item: ${why}`, { executed: 'yes' }))
  }

  #release(cancel: boolean): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#port.release(this.id, cancel)
  }
}
