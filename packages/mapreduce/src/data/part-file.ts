/** Writes a part of the output. Lines are put together as text and turned into bytes many at a time. */
import { crc32 } from 'node:zlib'
import type { OutputFormat } from '../formats.ts'
import type { TaskFile } from './files.ts'
import { isTextFormat, tabLines } from './output-formats.ts'
import { WRITE_BYTES } from './page-writer.ts'

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
    this.#flushText()
    this.#records++
    if (end - start >= BUFFER_BYTES - this.#buffered) {
      this.#append(bytes.subarray(start, end))
      return
    }
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
    if (text.length * 3 >= BUFFER_BYTES - this.#buffered) this.#append(Buffer.from(text))
    else this.#buffered += this.#buffer.write(text, this.#buffered)
  }

  /** All writes but the last are of whole buffers, and so of whole pages: see {@link PageWriter}. */
  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(bytes.length - at, BUFFER_BYTES - this.#buffered)
      this.#buffer.set(bytes.subarray(at, at + count), this.#buffered)
      this.#buffered += count
      at += count
      if (this.#buffered === BUFFER_BYTES) this.#flush()
    }
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#buffered)
    for (let at = 0; at < bytes.length; at += WRITE_BYTES)
      this.#file.write(bytes.subarray(at, at + WRITE_BYTES), this.#written + at)
    this.#crc = crc32(bytes, this.#crc)
    this.#written += bytes.length
    this.#buffered = 0
  }
}
