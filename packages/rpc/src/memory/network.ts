/**
 * A network within the process, for tests, simulations and examples. The bytes and the codec are those of the sockets;
 * delay, loss, reordering, duplication, cuts and counters are here. On a manual clock and a seeded random it does the
 * same in every run.
 *
 *     n1 ── link n1→n2: conditions, counters, cut? ──▶ n2       one link for each direction of each pair of nodes
 */
import { systemClock, sleep, type Clock } from '../clock.ts'
import { RpcError } from '../errors.ts'
import { systemRandom, type Random } from '../random.ts'
import type { TraceSink } from '../trace.ts'
import type { Address, Channel, Listener } from '../transport.ts'
import { MemoryChannel } from './channel.ts'
import { reliableLink, type LabPreset, type LinkConditions } from './conditions.ts'
import { Courier, Link, drawDelay, type LinkCounters } from './link.ts'
import { Pipe, type Plumbing } from './pipe.ts'
import { Rules, type LinkSelector } from './rules.ts'
import { Slab } from './slab.ts'

export interface MemoryNetworkOptions {
  /** Default: the system's; then messages take no time unless `conditions` say so. */
  readonly clock?: Clock
  readonly random?: Random
  /** Gets an event for each message that is dropped or arrives twice. */
  readonly trace?: TraceSink
  /** Of all links at first. Default: reliable, 0.2–1 ms with a `clock` given, else no latency. */
  readonly conditions?: Partial<LinkConditions>
}

interface Acceptor {
  readonly node: string
  readonly address: Address
  readonly accept: (channel: Channel) => void
}

/** How often a dial knocks at a node that is cut off. */
const KNOCK_MS = 100

export class MemoryNetwork {
  readonly #clock: Clock
  readonly #plumbing: Plumbing
  readonly #links = new Map<string, Link>()
  readonly #acceptors = new Map<string, Acceptor>()
  #channels = 0
  #ports = 0
  #names = 0

  constructor(options: MemoryNetworkOptions = {}) {
    const { clock = systemClock, random = systemRandom, trace, conditions } = options
    const latencyMs = clock === systemClock ? ([0, 0] as const) : reliableLink.latencyMs
    this.#clock = clock
    this.#plumbing = {
      clock,
      random,
      trace: trace?.messages === false ? undefined : trace,
      courier: new Courier(clock),
      rules: new Rules({ ...reliableLink, latencyMs, ...conditions }),
      slab: new Slab(),
      pipes: new Set(),
    }
  }

  /** Changes conditions, of all links or of those that `selector` names, for messages sent from now on. Later calls win. */
  set(conditions: Partial<LinkConditions> | LabPreset, selector: LinkSelector = {}): void {
    this.#plumbing.rules.set(conditions, selector)
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
    for (const { from } of [...this.#plumbing.pipes])
      if (from.node === node) from.close(new RpcError('CLOSED', `${node} crashed`))
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
    const near = new MemoryChannel({ id, node, isDialler: true, remoteAddress: acceptor.address })
    const remoteAddress = `memory://${node}`
    const far = new MemoryChannel({ id, node: acceptor.node, isDialler: false, remoteAddress })
    Pipe.pair({ plumbing: this.#plumbing, from: near, to: far, link: there, back })
    acceptor.accept(far)
    return near
  }

  #pass(link: Link, isRequest: boolean): Promise<void> {
    const { courier, random, rules } = this.#plumbing
    const delay = drawDelay({ ...rules.of(link, isRequest), hold: null }, random)
    return new Promise((resolve) => {
      courier.after(delay, resolve)
    })
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
}
