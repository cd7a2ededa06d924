import type { Storage } from '../storage.ts'
import type { NodeId } from '../types.ts'

const FORGOTTEN = ''

/** The first incarnation of each peer that this process has met, remembered for good: see incarnations.ts. */
export class FirstMet {
  readonly #storage: Pick<Storage, 'rememberPeer'>
  readonly #met = new Map<NodeId, { readonly incarnation: string; readonly durable: Promise<void> }>()

  constructor(storage: Pick<Storage, 'rememberPeer'>, known: ReadonlyMap<NodeId, string>) {
    this.#storage = storage
    for (const [id, incarnation] of known)
      if (incarnation !== FORGOTTEN) this.#met.set(id, { incarnation, durable: Promise.resolve() })
  }

  of(id: NodeId): string | undefined {
    return this.#met.get(id)?.incarnation
  }

  /** Resolves when the first one is on disk, be it this one or another. */
  async meet(id: NodeId, incarnation: string): Promise<void> {
    const met = this.#met.get(id) ?? this.#remember(id, incarnation)
    await met.durable
  }

  /** Durable when it resolves: the next that is met will be the first. */
  async forget(id: NodeId): Promise<void> {
    if (this.#met.delete(id)) await this.#storage.rememberPeer(id, FORGOTTEN)
  }

  #remember(
    id: NodeId,
    incarnation: string,
  ): { readonly incarnation: string; readonly durable: Promise<void> } {
    const durable = this.#storage.rememberPeer(id, incarnation)
    const met = { incarnation, durable }
    this.#met.set(id, met)
    durable.catch(() => this.#met.delete(id))
    return met
  }
}
