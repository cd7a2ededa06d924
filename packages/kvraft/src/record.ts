/** What is kept of a key. A record is never changed, only replaced, so that a snapshot may hold on to it. */
export interface StoreRecord {
  /** Holds the value in its first `length` bytes, and room for appends after them. */
  readonly buffer: Uint8Array
  readonly length: number
  /** Changes of this key since it came into being, from 1. */
  readonly version: number
  /** The store's revision at the last of them. */
  readonly changed: number
}

/** A key as a string of one character a byte: equal, and ordered, exactly as the bytes are, whether they are text or not. */
export function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
