/**
 * The bytes of a snapshot: what this layer remembers, then the state machine's own bytes. One unit, so that sessions and
 * state can never be of different moments.
 *
 *     u8 version · u8 flags · u32 length of what follows up to the machine's bytes
 *     varint log time · u32 hash of the machine (only with flag 1) · the session table
 *     the machine's bytes (none for a server without one)
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'

const VERSION = 1
const HAS_HASH = 1
const PREFIX_BYTES = 6

export interface StateHeader {
  /** Log time of the last command applied. */
  readonly time: number
  /** Of the state machine, when it has a hash. */
  readonly hash: number | null
  /** `SessionTable.encode()`. */
  readonly sessions: Uint8Array
}

export function encodeStateHeader({ time, hash, sessions }: StateHeader): Uint8Array {
  const writer = new ByteWriter(PREFIX_BYTES + sessions.length + 16).u8(VERSION)
  writer
    .u8(hash === null ? 0 : HAS_HASH)
    .u32(0)
    .varint(time)
  if (hash !== null) writer.u32(hash >>> 0)
  writer.raw(sessions).patchU32(PREFIX_BYTES - 4, writer.length - PREFIX_BYTES)
  return writer.finish()
}

/** @throws {ProtocolError} on anything but the bytes that {@link encodeStateHeader} gave */
export function decodeStateHeader(bytes: Uint8Array): StateHeader {
  const prefix = new ByteReader(bytes)
  const version = prefix.u8()
  if (version !== VERSION) throw new ProtocolError(`a snapshot of version ${String(version)}`)
  const flags = prefix.u8()
  if (prefix.u32() !== prefix.remaining) throw new ProtocolError('a snapshot is cut off in its header')
  return decodeBody(prefix, flags)
}

/**
 * Reads the header off a stream of chunks with any borders.
 *
 * @returns the header, and the machine's bytes
 * @throws {ProtocolError} when the stream is no snapshot of ours
 */
export async function splitState(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ header: StateHeader; rest: AsyncIterable<Uint8Array> }> {
  const source = chunks[Symbol.asyncIterator]()
  let bytes: Uint8Array = new Uint8Array(0)
  const fill = async (length: number): Promise<void> => {
    while (bytes.length < length) {
      const next = await source.next()
      if (next.done === true) throw new ProtocolError('a snapshot is cut off in its header')
      bytes = concat(bytes, next.value)
    }
  }
  await fill(PREFIX_BYTES)
  const prefix = new ByteReader(bytes)
  const version = prefix.u8()
  if (version !== VERSION) throw new ProtocolError(`a snapshot of version ${String(version)}`)
  const flags = prefix.u8()
  const end = PREFIX_BYTES + prefix.u32()
  await fill(end)
  const header = decodeBody(new ByteReader(bytes, PREFIX_BYTES, end), flags)
  return { header, rest: continueWith(bytes.subarray(end), source) }
}

function decodeBody(body: ByteReader, flags: number): StateHeader {
  const time = body.varint()
  const hash = (flags & HAS_HASH) === 0 ? null : body.u32()
  return { time, hash, sessions: body.raw(body.remaining) }
}

async function* continueWith(
  first: Uint8Array,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (first.length > 0) yield first
  for (;;) {
    const next = await source.next()
    if (next.done === true) return
    yield next.value
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
