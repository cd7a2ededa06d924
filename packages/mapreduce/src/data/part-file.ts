/** Writes a part of the output. Lines are put together as text and turned into bytes many at a time. */
import { crc32 } from 'node:zlib'
import type { OutputFormat } from '../formats.ts'
import type { TaskFile } from './files.ts'
import { isTextFormat, tabLines } from './output-formats.ts'

const BUFFER_BYTES = 1 << 18
const TEXT_UNITS = 1 << 14

export interface PartSummary {
  readonly bytes: number
  readonly records: number
  readonly crc32: number
}

export class PartFile<K, V> {
  readonly #file: TaskFile
  readonly #line: ((key: K, value: V) => string) | undefined
  readonly #format: OutputFormat<K, V>
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #buffered = 0
  #text = ''
  #written = 0
  #records = 0
  #crc = 0

  /** @param file empty; the part's to close */
  constructor(file: TaskFile, format: OutputFormat<K, V> = tabLines) {
    this.#file = file
    this.#format = format
    this.#line = isTextFormat(format) ? (key, value) => format.line(key, value) : undefined
  }

  /** @throws {DiskError} `DISK_FULL` and the like */
  write(key: K, value: V): void {
    this.#records++
    if (this.#line === undefined) this.#append(this.#format.encode(key, value))
    else {
      this.#text += this.#line(key, value)
      if (this.#text.length > TEXT_UNITS) this.#flushText()
    }
  }

  /** Writes bytes that hold `records` pairs in the part's format. */
  writeBytes(bytes: Uint8Array, records: number): void {
    this.#flushText()
    this.#records += records
    this.#append(bytes)
  }

  /** Writes bytes [start, end), which hold one pair in the part's format. */
  writeSlice(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (length > BUFFER_BYTES) {
      this.writeBytes(bytes.subarray(start, end), 1)
      return
    }
    this.#flushText()
    this.#records++
    if (length > BUFFER_BYTES - this.#buffered) this.#flush()
    const buffer = this.#buffer
    let to = this.#buffered
    for (let i = start; i < end; i++) buffer[to++] = bytes[i] as number
    this.#buffered = to
  }

  /** Writes what is buffered, and closes the file. */
  finish(options: { readonly durable?: boolean } = {}): PartSummary {
    this.#flushText()
    this.#flush()
    if (options.durable === true) this.#file.sync()
    this.#file.close()
    return { bytes: this.#written, records: this.#records, crc32: this.#crc }
  }

  /** Closes the file as it is, after a failure. */
  abandon(): void {
    this.#file.close()
  }

  #flushText(): void {
    const text = this.#text
    this.#text = ''
    if (text === '') return
    if (text.length * 3 > BUFFER_BYTES) {
      this.#append(Buffer.from(text))
      return
    }
    if (text.length * 3 > BUFFER_BYTES - this.#buffered) this.#flush()
    this.#buffered += this.#buffer.write(text, this.#buffered)
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length > BUFFER_BYTES - this.#buffered) this.#flush()
    if (bytes.length > BUFFER_BYTES) {
      this.#put(bytes)
      return
    }
    this.#buffer.set(bytes, this.#buffered)
    this.#buffered += bytes.length
  }

  #flush(): void {
    this.#put(this.#buffer.subarray(0, this.#buffered))
    this.#buffered = 0
  }

  #put(bytes: Uint8Array): void {
    this.#file.write(bytes, this.#written)
    this.#crc = crc32(bytes, this.#crc)
    this.#written += bytes.length
  }
}
