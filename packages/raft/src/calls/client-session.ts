import { SEQUENCE_WINDOW } from '../rsm/sessions.ts'

/** The client's half of a session (thesis §6.3): numbers its commands and knows which answers it has. */
export class ClientSession {
  readonly clientId: Uint8Array
  #next = 1
  #firstUnacknowledged = 1
  /** By sequence number modulo the window: 1 for one that has ended, from firstUnacknowledged on. */
  readonly #ended = new Uint8Array(SEQUENCE_WINDOW)

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
    this.#ended[sequenceNumber % SEQUENCE_WINDOW] = 1
    for (let at = this.#firstUnacknowledged % SEQUENCE_WINDOW; this.#ended[at] === 1;) {
      this.#ended[at] = 0
      at = ++this.#firstUnacknowledged % SEQUENCE_WINDOW
    }
  }
}
