/**
 * What happens, told to whoever subscribes in this process: `diagnostics_channel`, where the platform has it (Node ≥ 20.16, Bun,
 * Deno), and nothing elsewhere. Keys, values and commands are never in it.
 *
 *     lab:raft.role      { node, role, term, leader, why }
 *     lab:raft.snapshot  { node, index, bytes, ms }
 *     lab:raft.stall     { node, lateMs }
 *     lab:raft.propose   { node, ms, error }     of each proposal made through this node; error is null or a code
 */
import type { Clock } from '@lab/rpc'
import { RaftError } from './errors.ts'
import type { Index, NodeId, Role, Term } from './types.ts'

interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

interface DiagnosticsModule {
  channel(name: string): Channel
}

/** As much of `process` as this needs; a page has none. */
interface Platform {
  getBuiltinModule?(id: string): unknown
}

const NOBODY: Channel = { hasSubscribers: false, publish: () => undefined }

/** The platform's own module, without an import that a browser's bundler would stumble over. */
function channelOf(name: string): Channel {
  const host = globalThis as { process?: Platform }
  const module = host.process?.getBuiltinModule?.('diagnostics_channel') as DiagnosticsModule | undefined
  return module?.channel(`lab:raft.${name}`) ?? NOBODY
}

export class Diagnostics {
  readonly #node: NodeId
  readonly #role = channelOf('role')
  readonly #snapshot = channelOf('snapshot')
  readonly #stall = channelOf('stall')
  readonly #propose = channelOf('propose')

  constructor(node: NodeId) {
    this.#node = node
  }

  role(event: {
    readonly role: Role
    readonly term: Term
    readonly leader: NodeId | null
    readonly why: string
  }): void {
    if (this.#role.hasSubscribers) this.#role.publish({ node: this.#node, ...event })
  }

  snapshot(index: Index, bytes: number, ms: number): void {
    if (this.#snapshot.hasSubscribers) this.#snapshot.publish({ node: this.#node, index, bytes, ms })
  }

  stall(lateMs: number): void {
    if (this.#stall.hasSubscribers) this.#stall.publish({ node: this.#node, lateMs })
  }

  /** `work`, told about when it has ended; nothing is measured when nobody listens. */
  proposal<T>(work: Promise<T>, clock: Pick<Clock, 'now'>): Promise<T> {
    return this.#propose.hasSubscribers ? this.#watch(work, clock) : work
  }

  async #watch<T>(work: Promise<T>, clock: Pick<Clock, 'now'>): Promise<T> {
    const begun = clock.now()
    let error: string | null = null
    try {
      return await work
    } catch (thrown) {
      error = thrown instanceof RaftError ? thrown.code : String(thrown)
      throw thrown
    } finally {
      this.#propose.publish({ node: this.#node, ms: clock.now() - begun, error })
    }
  }
}
