import type { LabPersister } from './lab-interface.ts'

/** A disk in memory. Values go in and out as copies, so that nobody can change what was saved. */
export class MemoryPersister implements LabPersister {
  /** The state and room behind it: one saved after the other shall not leave garbage of its size. */
  #state = new Uint8Array(1024)
  #stateSize = 0
  #snapshot = new Uint8Array(0)

  save(state: Uint8Array, snapshot?: Uint8Array): void {
    if (state.length > this.#state.length) this.#state = new Uint8Array(2 * state.length)
    this.#state.set(state)
    this.#stateSize = state.length
    if (snapshot !== undefined) this.#snapshot = snapshot.slice()
  }

  readState(): Uint8Array {
    return this.#state.slice(0, this.#stateSize)
  }

  readSnapshot(): Uint8Array {
    return this.#snapshot.slice()
  }

  stateSize(): number {
    return this.#stateSize
  }

  /** The disk as it is now, for the next life: what a killed instance still saves goes into the old one. */
  copy(): MemoryPersister {
    const copy = new MemoryPersister()
    copy.save(this.readState(), this.#snapshot)
    return copy
  }
}
