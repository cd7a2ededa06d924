import { SEQUENCE_WINDOW } from '../rsm/sessions.ts'

/** The client's half of a session (thesis §6.3): numbers its commands and knows which answers it has. */
export class ClientSession {
  readonly clientId: Uint8Array
  #next = 1
  #firstUnacknowledged = 1
  /** Ended, above firstUnacknowledged. */
  readonly #ended = new Set<number>()

  constructor(clientId: Uint8Array) {
    this.clientId = clientId
  }

  /** Nothing below it will be asked for again. */
  get firstUnacknowledged(): number {
    return this.#firstUnacknowledged
  }

  /** False while the oldest command still waits and too many came after it. */
  get open(): boolean {
    return this.#next < this.#firstUnacknowledged + SEQUENCE_WINDOW
  }

  /** The next command's number. */
  begin(): number {
    return this.#next++
  }

  /** The command has its answer, or will not be sent again. */
  end(sequenceNumber: number): void {
    this.#ended.add(sequenceNumber)
    while (this.#ended.delete(this.#firstUnacknowledged)) this.#firstUnacknowledged++
  }
}
