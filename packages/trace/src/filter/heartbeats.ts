import type { TraceEvent } from '@lab/rpc'
import { messageKind } from '../messages.ts'

/** So many are remembered for their answers' sake. */
const REMEMBERED_MAX = 100_000

/**
 * Tells heartbeats: AppendEntries without entries, the answers to them, and the pings below. Answers do not say what they answer:
 * they are told by what they came of, so every event must be shown here, in order.
 */
export class Heartbeats {
  /** Message ids, and numbers of arrivals. */
  readonly #known = new Set<string | number>()

  isHeartbeat(event: TraceEvent): boolean {
    if (event.k !== 'send' && event.k !== 'recv' && event.k !== 'drop') return false
    const found = this.#judge(event)
    if (found) {
      if (event.m !== undefined) this.#remember(event.m)
      if (event.k === 'recv') this.#remember(event.i)
    }
    return found
  }

  #judge(event: TraceEvent): boolean {
    if (event.m !== undefined && this.#known.has(event.m)) return true
    const { name, reply } = messageKind(event)
    if (name === 'ping' || name === 'pong') return true
    if (name !== 'appendentries') return false
    if (!reply) return isEmpty(event['entries'])
    const asked = event.m?.endsWith('r') === true && this.#known.has(event.m.slice(0, -1))
    return asked || (event.c !== undefined && this.#known.has(event.c))
  }

  #remember(item: string | number): void {
    this.#known.add(item)
    const [oldest] = this.#known
    if (this.#known.size > REMEMBERED_MAX && oldest !== undefined) this.#known.delete(oldest)
  }
}

function isEmpty(entries: unknown): boolean {
  return entries === 0 || (Array.isArray(entries) && entries.length === 0)
}
