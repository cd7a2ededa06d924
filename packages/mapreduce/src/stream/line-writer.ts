import type { KeyCodec, ValueCodec } from '../formats.ts'
import { toInPlace, type InPlace } from '../data/in-place.ts'
import { escapeInPlace } from './line-bytes.ts'
import type { StreamPorts } from './ports.ts'

const TAB = 9
const LF = 10
const FLUSH_BYTES = 1 << 16

/** Writes pairs as lines of `key<TAB>value`, many at a time. */
export class LineWriter<K, V> {
  readonly #ports: Pick<StreamPorts, 'write'>
  readonly #key: InPlace<K>
  readonly #value: InPlace<V>
  #buffer = new Uint8Array(FLUSH_BYTES * 2)
  #used = 0

  constructor(ports: Pick<StreamPorts, 'write'>, key: KeyCodec<K>, value: ValueCodec<V>) {
    this.#ports = ports
    this.#key = toInPlace(key)
    this.#value = toInPlace(value)
  }

  /** @throws {DataError} what the codecs throw; nothing of the pair is written then */
  write(key: K, value: V): void {
    const middle = this.#put(this.#key, key, this.#used, TAB)
    this.#used = this.#put(this.#value, value, middle, LF)
    if (this.#used >= FLUSH_BYTES) this.flush()
  }

  flush(): void {
    this.#ports.write(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }

  #put<T>(codec: InPlace<T>, part: T, at: number, end: number): number {
    // Escaped bytes take two.
    this.#makeRoom(at, 2 * codec.bytesMax(part) + 1)
    const to = escapeInPlace(this.#buffer, at, codec.write(part, this.#buffer, at))
    this.#buffer[to] = end
    return to + 1
  }

  #makeRoom(at: number, bytes: number): void {
    if (at + bytes <= this.#buffer.length) return
    const grown = new Uint8Array((at + bytes) * 2)
    grown.set(this.#buffer.subarray(0, at))
    this.#buffer = grown
  }
}
