/**
 * The heartbeat of a process, as bytes (varints throughout):
 *
 *     life · number · version · since · ackLife · ackVersion · count · count × (group · instance · term)
 *
 * It claims what changed after version `since`, as far as the receiver has acknowledged; so in quiet times it claims nothing and
 * says only that all is as it was.
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import type { Term } from '../types.ts'

export interface Beat {
  /** Drawn when the process started. */
  readonly life: number
  /** Counts the beats to this receiver: one that comes late is not listened to. */
  readonly number: number
  /** Of the sender's claims. */
  readonly version: number
  readonly since: number
  /** What the sender knows of the receiver's claims: up to this version, of that life; 0 and 0 for nothing. */
  readonly ackLife: number
  readonly ackVersion: number
  readonly claims: readonly GroupClaim[]
}

export interface GroupClaim {
  readonly group: number
  /** Counts the starts of the group in this process; 0 when it does not run. */
  readonly instance: number
  /** The term in which it leads; 0 when it does not. */
  readonly term: Term
}

const CLAIM_BYTES_MIN = 3

export function encodeBeat(beat: Beat): Uint8Array {
  const writer = new ByteWriter(48 + 12 * beat.claims.length)
  writer.varint(beat.life).varint(beat.number).varint(beat.version).varint(beat.since)
  writer.varint(beat.ackLife).varint(beat.ackVersion).varint(beat.claims.length)
  for (const { group, instance, term } of beat.claims) writer.varint(group).varint(instance).varint(term)
  return writer.view()
}

/** @throws {ProtocolError} on anything that {@link encodeBeat} would not write */
export function decodeBeat(bytes: Uint8Array): Beat {
  const reader = new ByteReader(bytes)
  const beat = {
    life: reader.varint(),
    number: reader.varint(),
    version: reader.varint(),
    since: reader.varint(),
    ackLife: reader.varint(),
    ackVersion: reader.varint(),
  }
  if (beat.since > beat.version) throw new ProtocolError('a beat that claims what is still to come')
  const claims: GroupClaim[] = []
  for (let left = reader.count(CLAIM_BYTES_MIN); left > 0; left--)
    claims.push({ group: reader.varint(), instance: reader.varint(), term: reader.varint() })
  reader.end()
  return { ...beat, claims }
}
