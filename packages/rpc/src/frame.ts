/**
 * Messages ⇄ a stream of bytes: each message after its length, four bytes, little endian. Pure; for transports whose
 * network knows bytes only. How the stream is cut into chunks makes no difference to the messages that come out.
 */
import { ProtocolError } from './errors.ts'

export const FRAME_HEADER_BYTES = 4

/** Up to here a frame that arrives in pieces gets its memory at once; beyond, only as its bytes come. */
const TRUSTED_BYTES = 64 * 1024
const NOTHING = new Uint8Array(0)

/** Writes a message and its length at `at` of `target`, which has room for both. @returns where the next frame starts */
export function writeFrame(target: Uint8Array, at: number, message: Uint8Array): number {
  const length = message.length
  target[at] = length
  target[at + 1] = length >>> 8
  target[at + 2] = length >>> 16
  target[at + 3] = length >>> 24
  target.set(message, at + FRAME_HEADER_BYTES)
  return at + FRAME_HEADER_BYTES + length
}

/** Cuts chunks into messages. Whole frames come out as views on the chunk; one that spans chunks is copied once. */
export class FrameDecoder {
  /** Longer messages are refused as soon as their length is known; may be changed at any time. */
  messageBytesMax: number
  /** The frame that has not arrived as a whole, from its header on: its first `#have` bytes count. */
  #partial = NOTHING
  #have = 0
  #frames = 0
  #stopped = false

  constructor(messageBytesMax: number) {
    this.messageBytesMax = messageBytesMax
  }

  /** Bytes of the frame that is not complete yet. */
  get partialBytes(): number {
    return this.#have
  }

  /** Frames completed so far. */
  get frames(): number {
    return this.#frames
  }

  /** Hands out nothing more, not even from the chunk at hand, and forgets what it kept. */
  stop(): void {
    this.#stopped = true
    this.#partial = NOTHING
    this.#have = 0
  }

  /** Takes the next bytes; `chunk` belongs to the messages then. @throws {ProtocolError} on a message that is too long */
  push(chunk: Uint8Array, onMessage: (message: Uint8Array) => void): void {
    if (this.#stopped) return
    let at = this.#have > 0 ? this.#completePartial(chunk, onMessage) : 0
    while (chunk.length - at >= FRAME_HEADER_BYTES && !this.#stopped) {
      const start = at + FRAME_HEADER_BYTES
      const end = start + this.#checkedLength(chunk, at)
      if (end > chunk.length) break
      this.#frames++
      at = end
      onMessage(new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start))
    }
    if (at < chunk.length && !this.#stopped) this.#keep(chunk, at)
  }

  /** @returns how much of `chunk` it took */
  #completePartial(chunk: Uint8Array, onMessage: (message: Uint8Array) => void): number {
    let at = this.#copy(chunk, 0, FRAME_HEADER_BYTES)
    if (this.#have < FRAME_HEADER_BYTES) return at
    const end = FRAME_HEADER_BYTES + this.#checkedLength(this.#partial, 0)
    at = this.#copy(chunk, at, end)
    if (this.#have < end) return at
    const message = this.#partial.subarray(FRAME_HEADER_BYTES, end)
    this.#partial = NOTHING
    this.#have = 0
    this.#frames++
    onMessage(message)
    return at
  }

  #keep(chunk: Uint8Array, at: number): void {
    const isLengthKnown = chunk.length - at >= FRAME_HEADER_BYTES
    const end = FRAME_HEADER_BYTES + (isLengthKnown ? this.#checkedLength(chunk, at) : 0)
    this.#copy(chunk, at, end)
  }

  /** Copies into the partial frame until it has `wanted` bytes or the chunk ends. @returns the position in the chunk */
  #copy(chunk: Uint8Array, at: number, wanted: number): number {
    const count = Math.min(wanted - this.#have, chunk.length - at)
    if (count <= 0) return at
    this.#reserve(this.#have + count, wanted)
    this.#partial.set(chunk.subarray(at, at + count), this.#have)
    this.#have += count
    return at + count
  }

  #reserve(needed: number, wanted: number): void {
    if (needed <= this.#partial.length) return
    const grown = Math.max(needed, TRUSTED_BYTES, this.#partial.length * 2)
    const larger = new Uint8Array(Math.min(wanted, grown))
    larger.set(this.#partial.subarray(0, this.#have))
    this.#partial = larger
  }

  #checkedLength(bytes: Uint8Array, at: number): number {
    const length =
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)) >>>
      0
    if (length > this.messageBytesMax)
      throw new ProtocolError(
        `a message of ${String(length)} bytes, more than the ${String(this.messageBytesMax)} allowed here`,
      )
    return length
  }
}
