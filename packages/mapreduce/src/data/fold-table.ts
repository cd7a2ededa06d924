/**
 * Keys with one number each, folded as they come: a combiner's best case, and word count's only cost. An open table of
 * 16-byte slots in which keys of up to eight bytes stand themselves, so that most emits touch one cache line.
 *
 *     slot = [key bytes 0 to 3 | hash][key bytes 4 to 7 | place among long keys][length + 1; 0 is free][unused]
 */
import { hashBytes, finishHash, mixWord, wordAt } from './hash.ts'
import { writeText, textBytesMax } from './text.ts'

const FIRST_SLOTS = 1 << 12
const SLOT_WORDS = 4
const INLINE_BYTES = 8
/** What a slot takes: its words and its number. */
const SLOT_BYTES = SLOT_WORDS * 4 + 8

export class FoldTable {
  /** The number of each slot. Whoever asks for a slot writes here. */
  values = new Float64Array(FIRST_SLOTS)
  /** Was the slot that was asked for last free before? */
  isNew = false
  count = 0
  #slots = new Int32Array(FIRST_SLOTS * SLOT_WORDS)
  #mask = FIRST_SLOTS - 1
  #long = new Uint8Array(1 << 12)
  #longUsed = 0
  #text = new Uint8Array(256)

  /** Bytes of memory in use. */
  get used(): number {
    return this.values.length * SLOT_BYTES + this.#longUsed
  }

  /** Would one more key make the table grow, and to how many bytes? 0 when there is room. */
  get bytesIfGrown(): number {
    return this.#isCrowded() ? this.values.length * 2 * SLOT_BYTES + this.#longUsed : 0
  }

  /** The slot of a text's UTF-8 bytes, taken when there is none. */
  slotOfText(key: string): number {
    const { length } = key
    if (length <= INLINE_BYTES) {
      let [low, high] = [0, 0]
      for (let i = 0; i < length; i++) {
        const code = key.charCodeAt(i)
        if (code > 0x7f) return this.#slotOfEncoded(key)
        if (i < 4) low |= code << (8 * i)
        else high |= code << (8 * (i - 4))
      }
      return this.#inline(low, high, length)
    }
    return this.#slotOfEncoded(key)
  }

  /** The slot of key bytes [start, end), taken when there is none. */
  slotOfBytes(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length <= INLINE_BYTES)
      return this.#inline(wordAt(bytes, start, end), wordAt(bytes, start + 4, end), length)
    return this.#outside(bytes, start, end)
  }

  /** Calls `each` with every key and its number, in no order. The bytes are valid until it returns. */
  forEach(each: (bytes: Uint8Array, start: number, end: number, value: number) => void): void {
    const slots = this.#slots
    const inline = new Uint8Array(slots.buffer)
    for (let slot = 0; slot < this.values.length; slot++) {
      const at = slot * SLOT_WORDS
      const length = (slots[at + 2] as number) - 1
      if (length < 0) continue
      const value = this.values[slot] as number
      if (length <= INLINE_BYTES) each(inline, at * 4, at * 4 + length, value)
      else each(this.#long, slots[at + 1] as number, (slots[at + 1] as number) + length, value)
    }
  }

  /** Forgets all keys and keeps the memory. */
  clear(): void {
    this.#slots.fill(0)
    this.count = 0
    this.#longUsed = 0
  }

  #slotOfEncoded(key: string): number {
    const most = textBytesMax(key)
    if (most > this.#text.length) this.#text = new Uint8Array(most * 2)
    return this.slotOfBytes(this.#text, 0, writeText(key, this.#text, 0))
  }

  #inline(low: number, high: number, length: number): number {
    if (this.#isCrowded()) this.#grow()
    const slots = this.#slots
    const mask = this.#mask
    let slot = finishHash(mixWord(mixWord(0, low), high), length) & mask
    for (;;) {
      const at = slot * SLOT_WORDS
      const taken = slots[at + 2] as number
      if (taken === length + 1 && slots[at] === low && slots[at + 1] === high) {
        this.isNew = false
        return slot
      }
      if (taken === 0) return this.#take(slot, low, high, length)
      slot = (slot + 1) & mask
    }
  }

  #outside(bytes: Uint8Array, start: number, end: number): number {
    if (this.#isCrowded()) this.#grow()
    const slots = this.#slots
    const mask = this.#mask
    const length = end - start
    const hash = hashBytes(bytes, start, end) | 0
    let slot = hash & mask
    for (;;) {
      const at = slot * SLOT_WORDS
      const taken = slots[at + 2] as number
      if (
        taken === length + 1 &&
        slots[at] === hash &&
        this.#isLong(slots[at + 1] as number, bytes, start, length)
      ) {
        this.isNew = false
        return slot
      }
      if (taken === 0) return this.#take(slot, hash, this.#keep(bytes, start, end), length)
      slot = (slot + 1) & mask
    }
  }

  #isLong(place: number, bytes: Uint8Array, start: number, length: number): boolean {
    const long = this.#long
    for (let i = 0; i < length; i++) if (long[place + i] !== bytes[start + i]) return false
    return true
  }

  #keep(bytes: Uint8Array, start: number, end: number): number {
    const place = this.#longUsed
    const used = place + end - start
    if (used > this.#long.length) {
      const grown = new Uint8Array(Math.max(used, this.#long.length * 2))
      grown.set(this.#long)
      this.#long = grown
    }
    for (let i = start, to = place; i < end; i++) this.#long[to++] = bytes[i] as number
    this.#longUsed = used
    return place
  }

  #take(slot: number, first: number, second: number, length: number): number {
    const at = slot * SLOT_WORDS
    this.#slots[at] = first
    this.#slots[at + 1] = second
    this.#slots[at + 2] = length + 1
    this.count++
    this.isNew = true
    return slot
  }

  #isCrowded(): boolean {
    return this.count * 8 >= this.values.length * 5
  }

  #grow(): void {
    const [slots, values] = [this.#slots, this.values]
    this.#slots = new Int32Array(slots.length * 2)
    this.values = new Float64Array(values.length * 2)
    this.#mask = this.values.length - 1
    for (let from = 0; from < values.length; from++) {
      const at = from * SLOT_WORDS
      const length = (slots[at + 2] as number) - 1
      if (length < 0) continue
      const [first, second] = [slots[at] as number, slots[at + 1] as number]
      // The first word of a long key's slot is its hash.
      let slot =
        (length <= INLINE_BYTES ? finishHash(mixWord(mixWord(0, first), second), length) : first) & this.#mask
      while (this.#slots[slot * SLOT_WORDS + 2] !== 0) slot = (slot + 1) & this.#mask
      const to = slot * SLOT_WORDS
      this.#slots[to] = first
      this.#slots[to + 1] = second
      this.#slots[to + 2] = length + 1
      this.values[slot] = values[from] as number
    }
  }
}
