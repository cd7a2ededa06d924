/**
 * A network within the process, for tests, simulations and examples. The bytes and the codec are those of the sockets;
 * delay, loss, reordering, duplication, cuts and counters are here. On a manual clock and a seeded random it does the
 * same in every run.
 *
 *     n1 ── link n1→n2: conditions, counters, cut? ──▶ n2       one link for each direction of each pair of nodes
 */
import { systemClock, sleep, type Clock, type Milliseconds } from '../clock.ts'
import { RpcError } from '../errors.ts'
import { messageId } from '../message-id.ts'
import { Queue } from '../queue.ts'
import { systemRandom, type Random } from '../random.ts'
import type { TraceSink } from '../trace.ts'
import type { Address, Channel, Listener } from '../transport.ts'
import { MemoryChannel, type Carrier, type Parcel } from './channel.ts'
import { reliableLink, type LabPreset, type LinkConditions } from './conditions.ts'
import { Slab } from './slab.ts'
import { Courier, Link, drawDelay, type LinkCounters } from './link.ts'

export interface MemoryNetworkOptions {
  /** Default: the system's; then messages take no time unless `conditions` say so. */
  readonly clock?: Clock
  readonly random?: Random
  /** Gets an event for each message that is dropped or arrives twice. */
  readonly trace?: TraceSink
  /** Of all links at first. Default: reliable, 0.2–1 ms with a `clock` given, else no latency. */
  readonly conditions?: Partial<LinkConditions>
}

/** Which messages conditions are for; what is left out means all. */
export interface LinkSelector {
  readonly from?: string
  readonly to?: string
}

interface Rule {
  readonly selector: LinkSelector
  /** Of messages away from the end that dialled, and of those back to it. */
  readonly requests: Partial<LinkConditions>
  readonly replies: Partial<LinkConditions>
}

interface Pipe {
  readonly from: MemoryChannel
  readonly to: MemoryChannel
  readonly link: Link
  lastArrival: Milliseconds
  /** Under way, in order. */
  readonly queue: Queue<Parcel | Close>
  /** Whichever timer fires first brings the oldest: timers of a real clock are not exact. */
  readonly bringNext: () => void
}

/** The last thing that an end sends. */
interface Close {
  readonly error: RpcError | undefined
}

interface Acceptor {
  readonly node: string
  readonly address: Address
  readonly accept: (channel: Channel) => void
}

/** How often a dial knocks at a node that is cut off. */
const KNOCK_MS = 100

export class MemoryNetwork implements Carrier {
  readonly #clock: Clock
  readonly #random: Random
  readonly #trace: TraceSink | undefined
  readonly #courier: Courier
  readonly #defaults: LinkConditions
  readonly #slab = new Slab()
  #rules: Rule[] = []
  readonly #links = new Map<string, Link>()
  readonly #pipes = new Map<MemoryChannel, Pipe>()
  readonly #acceptors = new Map<string, Acceptor>()
  #channels = 0
  #ports = 0
  #names = 0

  constructor(options: MemoryNetworkOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#trace = options.trace?.messages === false ? undefined : options.trace
    this.#courier = new Courier(this.#clock)
    const latencyMs = this.#clock === systemClock ? ([0, 0] as const) : reliableLink.latencyMs
    this.#defaults = { ...reliableLink, latencyMs, ...options.conditions }
  }

  /** Changes conditions, of all links or of those that `selector` names, for messages sent from now on. Later calls win. */
  set(conditions: Partial<LinkConditions> | LabPreset, selector: LinkSelector = {}): void {
    const rule: Rule =
      'requests' in conditions
        ? { selector, ...conditions }
        : { selector, requests: conditions, replies: conditions }
    if (selector.from === undefined && selector.to === undefined && isComplete(rule)) this.#rules = []
    this.#rules.push(rule)
  }

  /** Cuts one direction: nothing sent from `from` reaches `to`, what is on its way neither. Neither end is told. */
  cut(from: string, to: string): void {
    this.#link(from, to).isCut = true
  }

  /** Cuts both directions between any two nodes of different groups. Nodes in no group keep all their links. */
  partition(...groups: readonly (readonly string[])[]): void {
    for (const group of groups)
      for (const other of groups)
        if (group !== other) for (const from of group) for (const to of other) this.cut(from, to)
  }

  /** Mends the cut from `from` to `to`, or all cuts. */
  heal(from?: string, to?: string): void {
    for (const link of this.#links.values())
      if ((from === undefined || link.from === from) && (to === undefined || link.to === to))
        link.isCut = false
  }

  /** Ends a node as the death of its process would: its listeners are gone and its channels are reset. */
  crash(node: string): void {
    for (const [address, acceptor] of this.#acceptors)
      if (acceptor.node === node) this.#acceptors.delete(address)
    for (const channel of [...this.#pipes.keys()])
      if (channel.node === node) channel.close(new RpcError('CLOSED', `${node} crashed`))
  }

  /** What has crossed from `from` to `to`; without arguments, all links together. */
  counters(from?: string, to?: string): LinkCounters {
    const sum = new Link('', '')
    for (const link of this.#links.values()) {
      if ((from !== undefined && link.from !== from) || (to !== undefined && link.to !== to)) continue
      sum.sent += link.sent
      sum.delivered += link.delivered
      sum.dropped += link.dropped
      sum.bytesSent += link.bytesSent
      sum.bytesDelivered += link.bytesDelivered
    }
    return sum.counters()
  }

  /** A name for a node that has none. */
  nextName(): string {
    return `node${String(++this.#names)}`
  }

  /** Accepts channels for `node` at a host and port. Port 0 takes a free one. For transports; users call `memory(network)`. */
  listen(
    node: string,
    at: { readonly host: string; readonly port: number | undefined },
    accept: (channel: Channel) => void,
  ): Listener {
    const port = at.port === 0 ? ++this.#ports : at.port
    const address = `memory://${at.host}${port === undefined ? '' : `:${String(port)}`}`
    if (this.#acceptors.has(address))
      throw new RpcError('ADDRESS_IN_USE', `another listener holds ${address}`)
    const acceptor: Acceptor = { node, address, accept }
    this.#acceptors.set(address, acceptor)
    return {
      address,
      close: () => {
        if (this.#acceptors.get(address) === acceptor) this.#acceptors.delete(address)
        return Promise.resolve()
      },
    }
  }

  /** Opens a channel from `node`. For transports; users call `memory(network)`. */
  async dial(node: string, to: Address, signal: AbortSignal): Promise<Channel> {
    const unreachable = (why: string): RpcError =>
      new RpcError('UNREACHABLE', `nobody answers at ${to}: ${why}`)
    for (;;) {
      if (signal.aborted) throw unreachable('no answer in time')
      const acceptor = this.#acceptors.get(to)
      const target = acceptor?.node ?? to
      const there = this.#link(node, target)
      const back = this.#link(target, node)
      await this.#pass(there, true)
      if (!there.isCut && !back.isCut) {
        if (acceptor === undefined || this.#acceptors.get(to) !== acceptor)
          throw unreachable('nobody listens there')
        const channel = this.#open(node, acceptor, there, back)
        await this.#pass(back, false)
        if (!signal.aborted) return channel
        channel.close(unreachable('given up'))
      } else await sleep(this.#clock, KNOCK_MS, signal).catch(() => undefined)
    }
  }

  #open(node: string, acceptor: Acceptor, there: Link, back: Link): Channel {
    const id = `m${String(++this.#channels)}`
    const near = new MemoryChannel({
      id,
      node,
      isDialler: true,
      carrier: this,
      remoteAddress: acceptor.address,
    })
    const far = new MemoryChannel({
      id,
      node: acceptor.node,
      isDialler: false,
      carrier: this,
      remoteAddress: `memory://${node}`,
    })
    this.#lay(near, far, there)
    this.#lay(far, near, back)
    acceptor.accept(far)
    return near
  }

  #lay(from: MemoryChannel, to: MemoryChannel, link: Link): void {
    const queue = new Queue<Parcel | Close>()
    const bringNext = (): void => {
      const next = queue.shift()
      if (next !== undefined) this.#bring(pipe, next)
    }
    const pipe: Pipe = { from, to, link, lastArrival: 0, queue, bringNext }
    this.#pipes.set(from, pipe)
  }

  carry(from: MemoryChannel, message: Uint8Array, sequence: number): void {
    const pipe = this.#pipes.get(from)
    if (pipe === undefined) {
      from.taken(message.length)
      return
    }
    const { link } = pipe
    link.sent++
    link.bytesSent += message.length
    const conditions = this.#conditionsOf(link, from.isDialler)
    if (link.isCut) this.#drop(pipe, { message, sequence, from }, 'cut')
    else if (conditions.lossRate > 0 && this.#random.next() < conditions.lossRate)
      this.#drop(pipe, { message, sequence, from }, 'lost')
    else {
      this.#deliver(pipe, conditions, { message: this.#slab.copyOf(message), sequence, from })
      if (conditions.duplicationRate > 0 && this.#random.next() < conditions.duplicationRate) {
        this.#note('note', pipe, sequence, 'duplicated')
        this.#deliver(pipe, conditions, { message: this.#slab.copyOf(message), sequence, from: null })
      }
    }
  }

  carryClose(from: MemoryChannel, error: Error | undefined): void {
    const pipe = this.#pipes.get(from)
    if (pipe === undefined) return
    this.#pipes.delete(from)
    const seen =
      error === undefined
        ? undefined
        : new RpcError('CLOSED', `the connection to ${pipe.to.remoteAddress} broke: ${error.message}`)
    // In order even where messages are not: what was sent before the close must be able to arrive.
    const conditions = { ...this.#conditionsOf(pipe.link, from.isDialler), reordering: false }
    this.#deliver(pipe, conditions, { error: seen })
  }

  /** Something has come to the end of its pipe. */
  #bring(pipe: Pipe, what: Parcel | Close): void {
    const { to, link } = pipe
    if ('error' in what) {
      if (!link.isCut) to.arriveClose(what.error)
      if (to.isClosed) this.#pipes.delete(to)
    } else if (link.isCut) this.#drop(pipe, what, 'cut')
    else if (to.isClosed) {
      this.#drop(pipe, what, 'nobody there')
      // As a socket does: who sends to an end that is gone learns it by a reset.
      this.#reset(to, pipe.from)
    } else {
      link.delivered++
      link.bytesDelivered += what.message.length
      to.arrive(what)
    }
  }

  #drop(pipe: Pipe, { message, sequence, from }: Parcel, why: string): void {
    pipe.link.dropped++
    this.#note('drop', pipe, sequence, why)
    from?.taken(message.length)
  }

  #reset(from: MemoryChannel, to: MemoryChannel): void {
    const pipe = this.#pipes.get(to)
    if (pipe === undefined || this.#link(from.node, to.node).isCut) return
    this.#pipes.delete(to)
    this.#courier.after(drawDelay(this.#conditionsOf(pipe.link, to.isDialler), this.#random), () => {
      to.arriveClose(new RpcError('CLOSED', `the connection to ${to.remoteAddress} was reset`))
    })
  }

  /** Brings it after the time that the link takes; in order unless the conditions allow otherwise. */
  #deliver(pipe: Pipe, conditions: LinkConditions, what: Parcel | Close): void {
    const now = this.#clock.now()
    const drawn = now + drawDelay(conditions, this.#random)
    const arrival = conditions.reordering ? drawn : Math.max(drawn, pipe.lastArrival)
    pipe.lastArrival = Math.max(arrival, pipe.lastArrival)
    if (conditions.reordering) {
      this.#courier.after(arrival - now, () => {
        this.#bring(pipe, what)
      })
      return
    }
    pipe.queue.push(what)
    this.#courier.after(arrival - now, pipe.bringNext)
  }

  #pass(link: Link, isRequest: boolean): Promise<void> {
    const conditions = this.#conditionsOf(link, isRequest)
    return new Promise((resolve) => {
      this.#courier.after(drawDelay({ ...conditions, hold: null }, this.#random), resolve)
    })
  }

  #conditionsOf(link: Link, isRequest: boolean): LinkConditions {
    if (this.#rules.length === 0) return this.#defaults
    let conditions = this.#defaults
    for (const { selector, requests, replies } of this.#rules) {
      if (selector.from !== undefined && selector.from !== link.from) continue
      if (selector.to !== undefined && selector.to !== link.to) continue
      conditions = { ...conditions, ...(isRequest ? requests : replies) }
    }
    return conditions
  }

  #link(from: string, to: string): Link {
    const key = `${from}\0${to}`
    let link = this.#links.get(key)
    if (link === undefined) {
      link = new Link(from, to)
      this.#links.set(key, link)
    }
    return link
  }

  #note(kind: 'drop' | 'note', { from, link }: Pipe, sequence: number, why: string): void {
    this.#trace?.({
      n: link.from,
      k: kind,
      m: messageId(from.id, from.isDialler, sequence),
      to: link.to,
      type: 'message',
      why,
    })
  }
}

function isComplete({ requests, replies }: Rule): boolean {
  return Object.keys(reliableLink).every((key) => key in requests && key in replies)
}
