/**
 * What one call carries of many commands, or many queries, and what it is answered:
 *
 *     items      (varint length · item)…
 *     answers    u8 1 · (varint place · varint length · answer)…      in any order, and perhaps in several parts
 *                or a refusal of them all (refusal.ts), which begins with 0
 *
 * An answer is what the item alone would have been answered: a reply or a refusal.
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'

/** So many items share a call, */
export const LIST_ITEMS_MAX = 128
/** and so many bytes of them; a larger one has a call of its own. */
export const LIST_BYTES_MAX = 64 * 1024
/** What a list takes besides its items' bytes, at most. */
export const LIST_HEAD_BYTES = 32
/** What an item, or an answer, takes besides its own bytes, at most. */
export const ITEM_HEAD_BYTES = 10

const ANSWERS = 1
/** Begins the answer to a query: that of a command begins with its index. */
const ANSWERED = 1

/** @throws {ProtocolError} on bytes that are no list, or one of nothing, or of more than {@link LIST_ITEMS_MAX} */
export function readItems(reader: ByteReader): Uint8Array[] {
  const items: Uint8Array[] = []
  do {
    if (items.length === LIST_ITEMS_MAX) throw new ProtocolError(`a list of more than ${LIST_ITEMS_MAX}`)
    items.push(reader.bytes())
  } while (reader.remaining > 0)
  return items
}

/** Answers to lists take as much as those before, mostly: then their memory need not grow. Nothing that can be seen depends on it. */
const USUAL_BYTES_MIN = 256
let usualBytes = 2048

/** Collects answers; {@link take} gives what has come since the last time. */
export class Answers {
  #writer: ByteWriter | null = null

  /** Bytes that wait to be taken. */
  get bytes(): number {
    return this.#writer?.length ?? 0
  }

  add(place: number, answer: Uint8Array): void {
    this.#begun().varint(place).bytes(answer)
  }

  /** The answer to a query: u8 1, then what the machine gave. */
  addAnswered(place: number, answer: Uint8Array): void {
    this.#begun()
      .varint(place)
      .varint(1 + answer.length)
      .u8(ANSWERED)
      .raw(answer)
  }

  take(): Uint8Array {
    const taken = this.#writer ?? new ByteWriter(1).u8(ANSWERS)
    this.#writer = null
    usualBytes = Math.min(Math.max(taken.length, USUAL_BYTES_MIN), LIST_BYTES_MAX)
    return taken.view()
  }

  #begun(): ByteWriter {
    return (this.#writer ??= new ByteWriter(usualBytes + (usualBytes >> 3)).u8(ANSWERS))
  }
}

/**
 * Tells each answer with the place of its item.
 *
 * @returns false when it is one refusal, of them all: then nothing is told
 * @throws {ProtocolError} on bytes that {@link Answers} did not write for so many items
 */
export function readAnswers(
  bytes: Uint8Array,
  count: number,
  tell: (place: number, answer: Uint8Array) => void,
): boolean {
  const reader = new ByteReader(bytes)
  const kind = reader.u8()
  if (kind === 0) return false
  if (kind !== ANSWERS) throw new ProtocolError(`answers of unknown kind ${kind}`)
  while (reader.remaining > 0) {
    const place = reader.varint()
    if (place >= count) throw new ProtocolError(`an answer to item ${place} of ${count}`)
    tell(place, reader.bytes())
  }
  return true
}
