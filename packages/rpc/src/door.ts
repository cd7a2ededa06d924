import { RpcError } from './errors.ts'
import type { ServerConnection } from './server-connection.ts'

/**
 * How many come in by one listener. When it is full, the oldest of those that were not welcomed make room: ten thousand
 * connections that say nothing, or the wrong thing, keep nobody out who shakes hands.
 */
export class Door {
  readonly #channelsMax: number
  readonly #inside = new Set<ServerConnection>()
  /** Those inside that were not welcome when they came, in that order; some may be since. */
  readonly #strangers = new Set<ServerConnection>()

  constructor(channelsMax: number) {
    this.#channelsMax = channelsMax
  }

  /** @returns whether there is room for it; if not, it is to be refused */
  enter(connection: ServerConnection): boolean {
    while (this.#isFull && this.#turnOutOldest());
    const hasRoom = !this.#isFull
    this.#inside.add(connection)
    this.#strangers.add(connection)
    void connection.connection.channel.closed.then(() => {
      this.#inside.delete(connection)
      this.#strangers.delete(connection)
    })
    return hasRoom
  }

  get #isFull(): boolean {
    return this.#inside.size >= this.#channelsMax
  }

  #turnOutOldest(): boolean {
    for (const connection of this.#strangers) {
      this.#strangers.delete(connection)
      if (connection.isWelcome) continue
      this.#inside.delete(connection)
      connection.turnOut(new RpcError('BUSY', 'others came that shake hands'))
      return true
    }
    return false
  }
}
