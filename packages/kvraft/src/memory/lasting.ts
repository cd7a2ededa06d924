/**
 * Memory for what is held for long, and given back as a whole or not at all. V8 counts what lies outside its heap against the room that it gives
 * the heap, unless it is shared: a store that grows by some 20 MB has all of the heap marked, and nothing is found to be given back.
 * What is garbage is not counted either, so none of this may be made over and over: it waits for whatever begins the next collection.
 */
export function lastingMemory(length: number): ArrayBufferLike {
  return typeof SharedArrayBuffer === 'function' ? new SharedArrayBuffer(length) : new ArrayBuffer(length)
}
