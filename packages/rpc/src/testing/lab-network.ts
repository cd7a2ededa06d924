/**
 * The labs' own network, call by call: ends, servers, an enabled flag per end, and three switches. It knows nothing of
 * transports; a Raft or a service written against the labs' interface runs on it unchanged, in virtual time.
 *
 *     end.call ─ count ─ hop ─┬─ cut off: `undefined` after a simulated time-out
 *                             └─ unreliable: +0–26 ms, 10 % lost ─ handler ─ unreliable: 10 % lost ─ long reordering ─ hop ─ reply
 *
 * One departure: each hop costs 0.2–1 ms also on the reliable network, as otherwise a closed loop would stop virtual time.
 */
import { systemClock, sleep, type Clock, type Milliseconds } from '../clock.ts'
import { systemRandom, type Random } from '../random.ts'
import type { TraceSink } from '../trace.ts'
import { decodeLabValue, encodeLabValue, type LabValue } from './lab-value.ts'

/** Serves one method. What it throws rejects the caller's promise: on this network that is a bug in the test. */
export type LabHandler = (args: LabValue) => LabValue | Promise<LabValue>

/** Services at one name. A restarted server is a new object: replies of the old one are never delivered. */
export class LabServer {
  readonly #handlers: Readonly<Record<string, LabHandler>>
  #count = 0

  /** @param handlers by method, such as `Raft.RequestVote`; several services may share the object */
  constructor(handlers: Readonly<Record<string, LabHandler>>) {
    this.#handlers = handlers
  }

  /** Requests that have reached a handler. */
  get count(): number {
    return this.#count
  }

  async dispatch(method: string, args: LabValue): Promise<LabValue> {
    const handler = this.#handlers[method]
    if (handler === undefined) throw new Error(`the server has no method ${method}`)
    this.#count++
    return handler(args)
  }
}

/** One caller's way to one server, for life. Concurrent calls are not ordered. */
export interface LabEnd {
  readonly name: string
  /** @returns the reply, or `undefined` when it is lost or the server is dead; the caller cannot tell whether the handler ran */
  call(method: string, args: LabValue): Promise<LabValue | undefined>
}

export interface LabNetworkOptions {
  readonly clock?: Clock
  readonly random?: Random
  readonly trace?: TraceSink
  /** Least and most virtual time of one hop. Default 0.2 and 1. */
  readonly hopMs?: readonly [min: Milliseconds, max: Milliseconds]
  /** What arguments or a reply say, as fields of their `send` event. Default: nothing. */
  readonly describe?: LabDescribe
}

export type LabDescribe = (method: string, value: LabValue) => Readonly<Record<string, unknown>>

export interface LabEndOptions {
  /** Who calls, as the trace shall name it. Default: the end's name. */
  readonly owner?: string
}

interface EndState {
  readonly name: string
  readonly owner: string
  server: string | undefined
  enabled: boolean
  calls: number
}

/** How often a waiting call looks whether its server is still there. */
const LOOK_MS = 100
const LOST = Symbol('lost')

export class LabNetwork {
  readonly #clock: Clock
  readonly #random: Random
  readonly #trace: TraceSink | undefined
  readonly #hopMs: readonly [Milliseconds, Milliseconds]
  readonly #describe: LabDescribe
  readonly #ends = new Map<string, EndState>()
  readonly #servers = new Map<string, LabServer>()
  #reliable = true
  #longDelays = false
  #longReordering = false
  #closed = false
  #totalCount = 0
  #totalBytes = 0

  constructor(options: LabNetworkOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#trace = options.trace
    this.#hopMs = options.hopMs ?? [0.2, 1]
    this.#describe = options.describe ?? (() => ({}))
  }

  /** Creates an end: connected to nothing, and disabled. */
  makeEnd(name: string, options: LabEndOptions = {}): LabEnd {
    if (this.#ends.has(name)) throw new Error(`there is an end ${name} already`)
    const end: EndState = { name, owner: options.owner ?? name, server: undefined, enabled: false, calls: 0 }
    this.#ends.set(name, end)
    return { name, call: (method, args) => this.#call(end, method, args) }
  }

  /** Joins an end to a server's name, for life. */
  connect(end: string, server: string): void {
    this.#end(end).server = server
  }

  enable(end: string, enabled: boolean): void {
    this.#end(end).enabled = enabled
  }

  /** Puts a server at a name, in place of the one that is there. */
  addServer(name: string, server: LabServer): void {
    this.#servers.set(name, server)
  }

  deleteServer(name: string): void {
    this.#servers.delete(name)
  }

  /** Off: 0–26 ms of delay per request, 10 % of requests and 10 % of replies lost. On at first. */
  set reliable(on: boolean) {
    this.#reliable = on
  }

  /** A call to an end that is cut off takes 0–7 s to fail instead of 0–100 ms. Off at first. */
  set longDelays(on: boolean) {
    this.#longDelays = on
  }

  /** Two replies in three are held back for 0.2–2.2 s. Off at first. */
  set longReordering(on: boolean) {
    this.#longReordering = on
  }

  /** Requests that have reached a handler of the server that is at `server` now. */
  count(server: string): number {
    return this.#servers.get(server)?.count ?? 0
  }

  /** Calls made, the lost ones too. A reply is not a second one. */
  get totalCount(): number {
    return this.#totalCount
  }

  /** Encoded bytes of all arguments, and of the replies that were delivered. */
  get totalBytes(): number {
    return this.#totalBytes
  }

  /** Ends the network: calls that no handler has taken yet return `undefined`. */
  cleanup(): void {
    this.#closed = true
  }

  async #call(end: EndState, method: string, args: LabValue): Promise<LabValue | undefined> {
    if (this.#closed) return undefined
    const bytes = encodeLabValue(args)
    const id = `${end.name}#${String(++end.calls)}`
    this.#totalCount++
    this.#totalBytes += bytes.length
    if (this.#trace !== undefined) {
      const said = this.#describe(method, args)
      this.#trace({
        ...said,
        n: end.owner,
        k: 'send',
        m: id,
        to: end.server,
        type: method,
        bytes: bytes.length,
      })
    }
    const reply = await this.#request(end, method, bytes, id)
    if (reply === LOST) return undefined
    this.#totalBytes += reply.length
    this.#trace?.({ n: end.owner, k: 'recv', m: `${id}r`, from: end.server, type: `${method} reply` })
    return decodeLabValue(reply)
  }

  /** The path of one request. The switches are looked at once, when the network takes it. */
  async #request(
    end: EndState,
    method: string,
    args: Uint8Array,
    id: string,
  ): Promise<Uint8Array | typeof LOST> {
    // What is on its way when a link is cut or its sender dies is lost: some peers hear of it and others do not.
    await this.#hop()
    const { server: name } = end
    const server = name === undefined ? undefined : this.#servers.get(name)
    const reliable = this.#reliable
    const longReordering = this.#longReordering
    if (!end.enabled || name === undefined || server === undefined) {
      this.#trace?.({ n: end.owner, k: 'drop', m: id, to: name, type: method, why: 'cut off' })
      await sleep(this.#clock, this.#random.integer(0, this.#longDelays ? 6999 : 99))
      return LOST
    }
    if (!reliable) await sleep(this.#clock, this.#random.integer(0, 26))
    if (this.#closed || this.#loses(reliable)) {
      this.#trace?.({ n: end.owner, k: 'drop', m: id, to: name, type: method, why: 'request lost' })
      return LOST
    }
    this.#trace?.({ n: name, k: 'recv', m: id, from: end.owner, type: method })
    const reply = await this.#serve(end, server, method, args)
    if (this.#trace !== undefined && reply !== LOST) {
      const said = this.#describe(method, decodeLabValue(reply))
      this.#trace({ ...said, n: name, k: 'send', m: `${id}r`, to: end.owner, type: `${method} reply` })
    }
    // A reply of an instance whose storage a newer one has taken over must not count.
    if (reply === LOST || this.#isCutOff(end, server) || this.#loses(reliable)) {
      this.#trace?.({
        n: name,
        k: 'drop',
        m: `${id}r`,
        to: end.owner,
        type: `${method} reply`,
        why: 'reply lost',
      })
      return LOST
    }
    const held = longReordering && this.#random.integer(0, 899) < 600
    if (held) await sleep(this.#clock, 200 + this.#random.integer(0, this.#random.integer(0, 1999)))
    await this.#hop()
    return reply
  }

  /** Runs the handler, looking every 100 ms whether anybody may still hear the answer. It is not stopped when not. */
  #serve(
    end: EndState,
    server: LabServer,
    method: string,
    args: Uint8Array,
  ): Promise<Uint8Array | typeof LOST> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#isCutOff(end, server)) resolve(LOST)
        else timer = this.#clock.setTimer(LOOK_MS, look)
      }
      let timer = this.#clock.setTimer(LOOK_MS, look)
      server
        .dispatch(method, decodeLabValue(args))
        .then((reply) => {
          resolve(encodeLabValue(reply))
        })
        .catch(reject)
        .finally(() => {
          timer.cancel()
        })
    })
  }

  #isCutOff(end: EndState, server: LabServer): boolean {
    return !end.enabled || end.server === undefined || this.#servers.get(end.server) !== server
  }

  #loses(reliable: boolean): boolean {
    return !reliable && this.#random.integer(0, 999) < 100
  }

  #hop(): Promise<void> {
    const [min, max] = this.#hopMs
    return sleep(this.#clock, min + this.#random.next() * (max - min))
  }

  #end(name: string): EndState {
    const end = this.#ends.get(name)
    if (end === undefined) throw new Error(`there is no end ${name}`)
    return end
  }
}
