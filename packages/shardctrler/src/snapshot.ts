/**
 * The controller's state as a stream of bytes; no byte before it is created:
 *
 *     u8 1 · varint first num · varint configurations · bytes each · varint groups · per group: varint gid · varint finished · varint left by ·
 *     varint groups that are gone · varint gid each
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import { readGid } from './config-codec.ts'
import type { Gid } from './config.ts'
import type { GroupProgress } from './progress.ts'

const FORMAT = 1
const CHUNK_BYTES = 64 * 1024

export interface ControllerState {
  readonly firstNum: number
  /** At least one. */
  readonly encoded: readonly Uint8Array[]
  readonly progress: readonly (readonly [Gid, GroupProgress])[]
  readonly gone: readonly Gid[]
}

/** The state is the caller's to leave as it is until all is drawn. */
export function* writeSnapshot({
  firstNum,
  encoded,
  progress,
  gone,
}: ControllerState): Generator<Uint8Array, void, undefined> {
  const writer = new ByteWriter(CHUNK_BYTES)
  writer.u8(FORMAT).varint(firstNum).varint(encoded.length)
  for (const config of encoded) {
    writer.bytes(config)
    if (writer.length < CHUNK_BYTES) continue
    yield writer.finish()
    writer.reset()
  }
  writer.varint(progress.length)
  for (const [gid, { finished, leftBy }] of progress) writer.varint(gid).varint(finished).varint(leftBy)
  writer.varint(gone.length)
  for (const gid of gone) writer.varint(gid)
  yield writer.finish()
}

/** @returns null for the state before it is created @throws {ProtocolError} */
export async function readSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<ControllerState | null> {
  const writer = new ByteWriter()
  for await (const chunk of chunks) writer.raw(chunk)
  const bytes = writer.finish()
  if (bytes.length === 0) return null
  const reader = new ByteReader(bytes)
  const format = reader.u8()
  if (format !== FORMAT) throw new ProtocolError(`a snapshot of format ${String(format)}`)
  const firstNum = reader.varint()
  const encoded = Array.from({ length: reader.count(1) }, () => reader.bytes())
  if (encoded.length === 0) throw new ProtocolError('a snapshot without a configuration')
  const progress = Array.from({ length: reader.count(3) }, () => readProgress(reader))
  const gone = Array.from({ length: reader.count(1) }, () => readGid(reader))
  reader.end()
  return { firstNum, encoded, progress, gone }
}

function readProgress(reader: ByteReader): readonly [Gid, GroupProgress] {
  return [readGid(reader), { finished: reader.varint(), leftBy: reader.varint() }]
}
