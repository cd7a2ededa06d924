import type { Client } from '@lab/rpc'
import type { AttemptId, WorkerId } from '../core/task.ts'
import type { CoordinatorService, Probe } from '../protocol.ts'

const NOWHERE = { address: '', probe: { path: '', nonce: '' } }

/** A place from which a map's output comes, or that there is nothing in it. */
export interface Source {
  readonly attempt: AttemptId
  readonly address: string
  readonly probe: Probe
  readonly isEmpty: boolean
}

/** The table of map outputs as far as this worker has asked for it. Begun anew with each epoch. */
export class OutputsSeen {
  readonly #workers = new Map<WorkerId, Pick<Source, 'address' | 'probe'>>()
  readonly #sources = new Map<number, Pick<Source, 'attempt' | 'isEmpty'>>()
  #version = 0
  #updating: Promise<void> = Promise.resolve()

  /** Asks until it has seen `version`. */
  async update(client: Client<typeof CoordinatorService.methods>, version: number): Promise<void> {
    // One at a time, or the same lines would be taken twice, in any order.
    this.#updating = this.#updating.catch(() => undefined).then(() => this.#ask(client, version))
    await this.#updating
  }

  /** Is there a place for each of so many maps? */
  isComplete(maps: number): boolean {
    for (let map = 0; map < maps; map++) if (this.#place(this.#sources.get(map)) === undefined) return false
    return true
  }

  /** Null when nobody has it. */
  get(map: number): Source | null {
    const source = this.#sources.get(map)
    const place = this.#place(source)
    return source === undefined || place === undefined ? null : { ...source, ...place }
  }

  #place(
    source: Pick<Source, 'attempt' | 'isEmpty'> | undefined,
  ): Pick<Source, 'address' | 'probe'> | undefined {
    // Nothing needs no place: its worker may be gone, and forgotten by a coordinator that began anew.
    return source && (source.isEmpty ? NOWHERE : this.#workers.get(source.attempt.worker))
  }

  /** There is nothing in this map's output. */
  isEmpty(map: number): boolean {
    return this.#sources.get(map)?.isEmpty === true
  }

  async #ask(client: Client<typeof CoordinatorService.methods>, version: number): Promise<void> {
    while (this.#version < version) {
      const reply = await client.outputs({ since: this.#version })
      for (const [worker, place] of Object.entries(reply.workers)) this.#workers.set(worker, place)
      for (const { map, attempt, worker, isEmpty = false } of reply.entries)
        if (worker === '') this.#sources.delete(map)
        else this.#sources.set(map, { attempt: { kind: 'map', task: map, attempt, worker }, isEmpty })
      if (reply.version <= this.#version) return
      this.#version = reply.version
    }
  }
}
