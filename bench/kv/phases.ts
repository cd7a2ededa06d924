import { open } from 'node:fs/promises'
import { commandCodec, type KvStore } from '@lab/kvraft'

/** As the driver of a node does: nothing holds the event loop for longer, and the clock is read after so many. */
const SLICE_MS = 5
const PUTS_PER_CLOCK_READ = 32
const CHUNK_BYTES = 256 * 1024
/** A prime: its multiples visit all keys, in an order that is none. */
const STRIDE = 7_919_417

export async function fill(store: KvStore, keys: number, valueBytes: number): Promise<number> {
  const put = new Put(keys, valueBytes)
  await inSlices(keys, (n) => put.apply(store, n, n))
  return keys
}

/** A quarter of the keys gets another value. */
export async function overwrite(store: KvStore, keys: number, valueBytes: number): Promise<number> {
  const put = new Put(keys, valueBytes)
  await inSlices(keys / 4, (n) => put.apply(store, n * 3, n + 1))
  return keys / 4
}

/** Writes a snapshot to a file, with ten puts to each of its chunks. */
export async function save(store: KvStore, path: string, keys: number, valueBytes: number): Promise<number> {
  const file = await open(path, 'w')
  const breathe = breather()
  const put = new Put(keys, valueBytes)
  let n = 0
  for (const chunk of store.snapshot()) {
    await file.write(chunk)
    for (const end = n + 10; n < end; n++) put.apply(store, n * 5, n)
    await breathe()
  }
  await file.close()
  return keys
}

export async function restore(store: KvStore, path: string): Promise<number> {
  await store.restore(chunksOf(path))
  return store.size
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path)
  const breathe = breather()
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK_BYTES))
    if (bytesRead === 0) break
    yield buffer.subarray(0, bytesRead)
    await breathe()
  }
  await file.close()
}

/** A put whose key and value are written over again and again: what is measured is the store, not the making of commands. */
class Put {
  readonly #command: Uint8Array
  /** Behind the last digit of the key. */
  readonly #keyEnd: number
  readonly #keys: number

  constructor(keys: number, valueBytes: number) {
    const key = new TextEncoder().encode(`key/${'0'.repeat(DIGITS)}`)
    this.#command = commandCodec.encode({ op: 'put', key, value: new Uint8Array(valueBytes) })
    this.#keyEnd = this.#command.length - valueBytes
    this.#keys = keys
  }

  apply(store: KvStore, n: number, byte: number): void {
    let number = (n * STRIDE) % this.#keys
    for (let at = this.#keyEnd; at > this.#keyEnd - DIGITS; number = Math.floor(number / 10))
      this.#command[--at] = 48 + (number % 10)
    this.#command.fill(byte, this.#keyEnd)
    store.apply(this.#command, AT)
  }
}

const DIGITS = 9
const AT = { time: 1 }

async function inSlices(count: number, work: (n: number) => void): Promise<void> {
  const breathe = breather()
  for (let n = 0; n < count; n++) {
    work(n)
    if (n % PUTS_PER_CLOCK_READ === 0) await breathe()
  }
}

/** Gives the event loop a turn when the last one is a slice ago. */
function breather(): () => Promise<void> {
  let end = performance.now() + SLICE_MS
  return async () => {
    if (performance.now() < end) return
    await new Promise((resolve) => setImmediate(resolve))
    end = performance.now() + SLICE_MS
  }
}
