import {
  WaitList,
  openLink,
  type Address,
  type Clock,
  type Link,
  type LinkOptions,
  type Milliseconds,
} from '@lab/rpc'
import { OpenLists, type ListTarget } from './calls/open-lists.ts'
import { decodeAttempt, fromRpcError } from './calls/refusal.ts'
import type { Sending } from './calls/sending.ts'
import { SilenceWatch } from './calls/silence-watch.ts'
import type { Attempt, AttemptOptions, Route } from './calls/route.ts'
import { RaftError, type LeaderHint } from './errors.ts'
import { callOptions } from './node-route.ts'
import type { AdminMethod } from './admin/types.ts'
import {
  AdminService,
  ClientService,
  forGroup,
  listForGroup,
  type AdminClient,
  type RequestClient,
  type ServerStatus,
} from './services.ts'

type Method = 'open' | AdminMethod
/** What is asked in lists. */
type ListMethod = 'propose' | 'read'

/** One that is busy electing says so at once, or never. */
const STATUS_MS: Milliseconds = 200

/** A server of the cluster, as a client sees it. */
export interface KnownServer {
  readonly addresses: readonly Address[]
  readonly link: Link
  readonly requests: RequestClient
  readonly admin: AdminClient
  readonly silence: SilenceWatch
  readonly lists: Readonly<Record<ListMethod, ListTarget>>
}

/** Commands share nothing. */
const NO_HEAD = new Uint8Array()

export interface ClientRouteOptions {
  readonly servers: readonly Address[]
  readonly group: number
  readonly schemes: ReadonlySet<string>
  readonly link: LinkOptions
  readonly clock: Clock
}

/**
 * A client's way to the leader. It keeps a connection to every server that it knows of, asks the one that seems to lead, and learns
 * from refusals: they name the leader and its addresses. While that one is silent, the others are asked whether somebody else leads
 * by now.
 */
export class ClientRoute implements Route {
  readonly #options: ClientRouteOptions
  readonly #servers: KnownServer[] = []
  readonly #waiting = new WaitList<() => void>()
  readonly #lists = new OpenLists()
  /** Seems to lead. */
  #leader: KnownServer | null = null
  /** Whom to ask next while nobody seems to. */
  #next = 0

  constructor(options: ClientRouteOptions) {
    this.#options = options
    for (const address of options.servers) this.#open([address])
  }

  get servers(): readonly KnownServer[] {
    return this.#servers
  }

  send(sending: Sending): void {
    this.#enlist('propose', NO_HEAD, sending, this.#pick())
  }

  /**
   * Puts a query to the server that seems to lead, or to the next of all, once.
   *
   * @param head see `encodeWanted`
   */
  read(head: Uint8Array, sending: Sending, { anyone }: { readonly anyone: boolean }): void {
    this.#enlist('read', head, sending, anyone ? this.#pickNext() : this.#pick())
  }

  openSession(clientId: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    return this.ask('open', clientId, options)
  }

  /** Puts `body` to the server that seems to lead, or to the next of all, once. Never rejects. */
  async ask(method: Method, body: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    const server = this.#pick()
    if (server === null) return { ok: false, error: this.unavailable() }
    server.silence.asked()
    try {
      const attempt = decodeAttempt(
        await methodOf(server, method)(forGroup(this.#options.group, body), callOptions(options)),
      )
      if (attempt.ok) {
        if (this.#leader === null) this.#lead(server)
        return attempt
      }
      return { ...attempt, redirected: this.#learn(server, attempt.error) }
    } catch (thrown) {
      const error = fromRpcError(thrown)
      this.#missed(server, error)
      return { ok: false, error }
    } finally {
      server.silence.answered()
    }
  }

  /** Is there anybody to ask at the moment? */
  get isUp(): boolean {
    return this.#pick() !== null
  }

  /** Why there is nobody: what they all say, if they all refuse us for good. */
  unavailable(): RaftError {
    const errors = this.#servers.flatMap(({ link }) =>
      link.lastError === undefined ? [] : [fromRpcError(link.lastError)],
    )
    const refusal = errors.length === this.#servers.length && errors.every(isForGood) ? errors[0] : undefined
    if (refusal !== undefined) return refusal
    const addresses = this.#servers.flatMap((server) => server.addresses).join(', ')
    const last = errors.at(-1)
    const why = last === undefined ? '' : ` (${last.message})`
    return new RaftError('UNAVAILABLE', `none of the servers answers: ${addresses}${why}`, {
      outcome: 'not-applied',
      cause: last,
    })
  }

  changed(delay: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#waiting.leave(place)
        resolve()
      }
      const timer = this.#options.clock.setTimer(delay, wake, { keepAlive: true })
      const place = this.#waiting.add(wake)
    })
  }

  close(): void {
    for (const { link, silence } of this.#servers) {
      silence.stop()
      link.close()
    }
    this.#wake()
  }

  #open(addresses: readonly Address[]): KnownServer {
    const link = openLink([...addresses], {
      ...this.#options.link,
      onState: (state) => {
        if (state === 'down' && this.#leader === server) this.#leader = null
        if (state !== 'connecting') this.#wake()
      },
    })
    const server: KnownServer = {
      addresses,
      link,
      requests: link.client(ClientService),
      admin: link.client(AdminService),
      silence: new SilenceWatch(this.#options.clock, () => void this.#askOthers(server)),
      lists: {
        propose: this.#listsOf(() => server, 'propose'),
        read: this.#listsOf(() => server, 'read'),
      },
    }
    this.#servers.push(server)
    return server
  }

  /**
   * `silent` answers nothing. If another one leads, what waits for it goes there: breaking the connection is what makes calls try again, and a
   * session has them count once. As long as nobody else leads, waiting is all that there is.
   */
  async #askOthers(silent: KnownServer): Promise<void> {
    const { group } = this.#options
    const others = this.#servers.filter((server) => server !== silent && server.link.state === 'up')
    const answers = await Promise.all(
      others.map(({ requests }) => requests.status(group, { timeout: STATUS_MS }).catch(() => null)),
    )
    const newest = answers
      .filter((status) => status !== null)
      .reduce<ServerStatus | null>((best, one) => (best === null || one.term > best.term ? one : best), null)
    const { leader: leaderId = null, addresses = {} } = newest ?? {}
    if (leaderId === null || leaderId === silent.link.peer?.nodeId) return
    const leader = this.#find({ id: leaderId, addresses: addresses[leaderId] ?? [] })
    if (leader === null || leader === silent) return
    this.#lead(leader)
    silent.link.reset(`it was silent, and ${leaderId} leads`)
  }

  #enlist(method: ListMethod, head: Uint8Array, sending: Sending, server: KnownServer | null): void {
    if (server === null) sending.failed(this.unavailable(), false)
    else this.#lists.add(server.lists[method], head, sending)
  }

  #listsOf(server: () => KnownServer, method: ListMethod): ListTarget {
    return {
      repeats: method === 'read',
      bytesMax: () => server().link.requestBytesMax,
      call: async (list, options) => {
        const { silence, requests } = server()
        silence.asked()
        try {
          return await requests[method](listForGroup(this.#options.group, list), options)
        } finally {
          silence.answered()
        }
      },
      answered: () => {
        if (this.#leader === null && method === 'propose') this.#lead(server())
      },
      refused: (error) => this.#learn(server(), error),
      failed: (error) => this.#missed(server(), error),
    }
  }

  /** A call to it failed. */
  #missed(server: KnownServer, { code }: RaftError): void {
    // A leader with too much to do leads all the same.
    if (code !== 'CANCELLED' && code !== 'BUSY') this.#avoid(server)
  }

  #pick(): KnownServer | null {
    return this.#leader?.link.state === 'up' ? this.#leader : this.#firstUp()
  }

  /** All in turn. */
  #pickNext(): KnownServer | null {
    const server = this.#firstUp()
    this.#next = (this.#next + 1) % this.#servers.length
    return server
  }

  /** The one to ask next, or the first after it that is up. */
  #firstUp(): KnownServer | null {
    const count = this.#servers.length
    for (let i = 0; i < count; i++) {
      const server = this.#servers[(this.#next + i) % count]
      if (server?.link.state === 'up') return server
    }
    return null
  }

  /** @returns whether the refusal leads to another server that can be asked at once */
  #learn(server: KnownServer, { code, leaderHint }: RaftError): boolean {
    if (code !== 'NOT_LEADER' && code !== 'LEADERSHIP_LOST') return false
    this.#avoid(server)
    const hinted = leaderHint === undefined ? null : this.#find(leaderHint)
    if (hinted === null || hinted === server) return false
    this.#lead(hinted)
    return hinted.link.state === 'up'
  }

  #find({ id, addresses }: LeaderHint): KnownServer | null {
    const known = this.#servers.find(
      ({ link, addresses: own }) =>
        link.peer?.nodeId === id || own.some((address) => addresses.includes(address)),
    )
    if (known !== undefined) return known
    const reachable = addresses.filter((address) => this.#options.schemes.has(address.split('://')[0] ?? ''))
    return reachable.length === 0 ? null : this.#open(reachable)
  }

  #lead(server: KnownServer): void {
    if (this.#leader === server) return
    this.#leader = server
    this.#wake()
  }

  /** Not this one next time. */
  #avoid(server: KnownServer): void {
    if (this.#leader === server) this.#leader = null
    if (this.#servers[this.#next % this.#servers.length] === server)
      this.#next = (this.#next + 1) % this.#servers.length
  }

  #wake(): void {
    for (const wake of this.#waiting.takeAll()) wake()
  }
}

/** A refusal that trying again will not change. */
function isForGood({ code }: RaftError): boolean {
  return code === 'UNAUTHORISED' || code === 'WRONG_CLUSTER'
}

function methodOf({ requests, admin }: KnownServer, method: Method): RequestClient['propose'] {
  return method === 'change' || method === 'transfer' || method === 'stepDown'
    ? admin[method]
    : requests[method]
}
