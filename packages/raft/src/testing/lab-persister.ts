import type { LabPersister } from './lab-interface.ts'

/** A disk in memory. Values go in and out as copies, so that nobody can change what was saved. */
export class MemoryPersister implements LabPersister {
  #state: Uint8Array
  #snapshot: Uint8Array

  constructor(state: Uint8Array = new Uint8Array(0), snapshot: Uint8Array = new Uint8Array(0)) {
    this.#state = state
    this.#snapshot = snapshot
  }

  save(state: Uint8Array, snapshot?: Uint8Array): void {
    this.#state = state.slice()
    if (snapshot !== undefined) this.#snapshot = snapshot.slice()
  }

  readState(): Uint8Array {
    return this.#state.slice()
  }

  readSnapshot(): Uint8Array {
    return this.#snapshot.slice()
  }

  stateSize(): number {
    return this.#state.length
  }

  /** The disk as it is now, for the next life: what a killed instance still saves goes into the old one. */
  copy(): MemoryPersister {
    return new MemoryPersister(this.#state, this.#snapshot)
  }
}
