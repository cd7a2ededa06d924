import type { Clock } from './clock.ts'
import type { Deadlines } from './deadlines.ts'
import type { LocalIdentity, PeerInfo } from './handshake.ts'
import type { Limits } from './limits.ts'
import type { Hello, WireError } from './messages.ts'
import type { Registry } from './registry.ts'
import type { ServerCounters } from './server-counters.ts'
import type { TraceSink } from './trace.ts'

/** What all connections of one server share. */
export interface ServerShared {
  readonly clock: Clock
  readonly limits: Limits
  readonly trace: TraceSink | undefined
  readonly identity: LocalIdentity
  readonly registry: Registry
  readonly deadlines: Deadlines
  readonly counters: ServerCounters
  readonly newConnectionId: () => string
  /** @returns why this peer may not come in, or null */
  readonly admit: (hello: Hello, peer: PeerInfo) => Promise<WireError | null>
}
