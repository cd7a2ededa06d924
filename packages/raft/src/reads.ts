/**
 * How fresh reads must be, and what stands before the queries that a client puts to a server:
 *
 *     u8 consistency (0 linearizable, 1 lease, 2 stale) · varint atLeast
 */
import { ByteWriter, ProtocolError, type ByteReader } from '@lab/rpc'
import type { WaitOptions } from './calls/bounded.ts'
import { badRequest } from './errors.ts'
import type { Index } from './types.ts'

/**
 * `linearizable`: sees all that was acknowledged anywhere before the read began; the leader proves with a round of messages that it
 * leads (thesis §6.4). `lease`: the same promise without the round, as long as the servers' clocks run equally fast within a tenth;
 * only where the cluster's configuration has `leases` on (thesis §6.4.1). `stale`: what one server has, at once, however old.
 */
export type Consistency = 'linearizable' | 'lease' | 'stale'

export interface Freshness {
  /** Default `linearizable`. */
  readonly consistency?: Consistency | undefined
  /** The state includes the log up to here: with the index that `submit` returned, one's own write, on any server. */
  readonly atLeast?: Index | undefined
}

export interface ReadOptions extends WaitOptions, Freshness {}

/** With every default filled in. */
export type Wanted = Readonly<Required<{ [K in keyof Freshness]: NonNullable<Freshness[K]> }>>

const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'lease', 'stale']

/** @throws {RaftError} `BAD_REQUEST` on a consistency or an index that is none */
export function checkFreshness({ consistency = 'linearizable', atLeast = 0 }: Freshness): Wanted {
  if (!CONSISTENCIES.includes(consistency))
    throw badRequest(`consistency must be one of ${CONSISTENCIES.join(', ')}, not ${consistency as string}`)
  if (!Number.isSafeInteger(atLeast) || atLeast < 0)
    throw badRequest(`atLeast must be an index of the log, not ${String(atLeast)}`)
  return { consistency, atLeast }
}

/** By consistency, for reads that name no index. */
const HEADS = CONSISTENCIES.map((consistency) => headOf({ consistency, atLeast: 0 }))

/** What stands before the queries. The very same bytes for all reads that name no index: those of one turn share a call. */
export function encodeWanted(wanted: Wanted): Uint8Array {
  const known = wanted.atLeast === 0 ? HEADS[CONSISTENCIES.indexOf(wanted.consistency)] : undefined
  return known ?? headOf(wanted)
}

function headOf({ consistency, atLeast }: Wanted): Uint8Array {
  return new ByteWriter(10).u8(CONSISTENCIES.indexOf(consistency)).varint(atLeast).finish()
}

/** @throws {ProtocolError} on anything that {@link encodeWanted} would not write */
export function decodeWanted(reader: ByteReader): Wanted {
  const consistency = CONSISTENCIES[reader.u8()]
  if (consistency === undefined) throw new ProtocolError('a read of unknown consistency')
  return { consistency, atLeast: reader.varint() }
}
