/**
 * Memory for what is held for long, and given back as a whole or not at all. V8 counts what lies outside its heap against the room that it gives
 * the heap, unless it is shared: a store that grows by some 20 MB has all of the heap marked, and nothing is found to be given back.
 * What is garbage is not counted either, and waits for the next full collection: whoever drops some says so ({@link lastingMemoryDropped}).
 */
export function lastingMemory(length: number): ArrayBufferLike {
  return typeof SharedArrayBuffer === 'function' ? new SharedArrayBuffer(length) : new ArrayBuffer(length)
}

/** Less is not worth a collection. */
const DROPPED_BYTES_MIN = 16 * 1024 * 1024
/** More than a server's heap has room for before V8 begins one. */
const COUNTED_BYTES = 40 * 1024 * 1024

/** Since V8 was told last, of all stores of this thread. */
let droppedBytes = 0

/** So many bytes have become garbage: has V8 look for it soon when they are many, lest they be held beside what comes next. */
export function lastingMemoryDropped(bytes: number): void {
  droppedBytes += bytes
  if (droppedBytes < DROPPED_BYTES_MIN) return
  droppedBytes = 0
  try {
    // V8 counts it until it has looked; the system gives no memory for what nobody writes to.
    new ArrayBuffer(COUNTED_BYTES)
  } catch {
    // It could not be had, which began a collection.
  }
}
