/**
 * Memory for what is held for long, and given back as a whole or not at all. V8 counts what lies outside its heap against the room that it gives
 * the heap, unless it is shared: a store that grows by some 20 MB has all of the heap marked, and nothing is found to be given back.
 * What is garbage is not counted either, so none of this may be made over and over: it waits for the next full collection.
 */
export function lastingMemory(length: number): ArrayBufferLike {
  return typeof SharedArrayBuffer === 'function' ? new SharedArrayBuffer(length) : new ArrayBuffer(length)
}

/** Less is not worth a collection. */
const DROPPED_BYTES_MIN = 16 * 1024 * 1024
/** More than a server's heap has room for before V8 begins one. */
const COUNTED_BYTES = 40 * 1024 * 1024

/** So many bytes have become garbage at once: has V8 look for it soon, lest they be held beside what comes next. */
export function lastingMemoryDropped(bytes: number): void {
  // V8 counts it until it has looked; the system gives no memory for what nobody writes to.
  if (bytes >= DROPPED_BYTES_MIN) new ArrayBuffer(COUNTED_BYTES)
}
