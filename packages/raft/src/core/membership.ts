/**
 * Who takes part (§6). A configuration is a log entry; a server uses the latest one in its log, committed or not, so this
 * keeps all that the log holds above the snapshot, for when one is truncated away or a snapshot needs the one before.
 */
import { ByteReader, ByteWriter, ProtocolError, assert } from '@lab/rpc'
import { payloadOf, type Entry } from '../entry.ts'
import type { Index, Membership, NodeId } from '../types.ts'

/** First byte of an encoded configuration. The first format ended after the addresses. */
const FORMAT = 2
const FORMAT_UP_TO_ADDRESSES = 1
const ID_PATTERN = /^[A-Za-z0-9._-]{1,64}$/

export const NO_MEMBERSHIP: Membership = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  addresses: {},
  index: 0,
  incarnations: {},
  leases: false,
}

/** All who receive the log: voters of both sets and learners, each once. */
export function membersOf(membership: Membership): NodeId[] {
  return [...new Set([...membership.voters, ...membership.votersOutgoing, ...membership.learners])]
}

/** Does it receive the log? */
export function isMember({ voters, votersOutgoing, learners }: Membership, id: NodeId): boolean {
  return voters.includes(id) || votersOutgoing.includes(id) || learners.includes(id)
}

/** In one line, for people. */
export function describeMembership({ voters, votersOutgoing, learners }: Membership): string {
  const old = votersOutgoing.length === 0 ? '' : ` jointly with ${votersOutgoing.join()}`
  return `${voters.join()}${old}${learners.length === 0 ? '' : `, learners ${learners.join()}`}`
}

/** The payload of a configuration entry. */
export function encodeMembership(membership: Membership): Uint8Array {
  const writer = new ByteWriter().u8(FORMAT).u8(membership.leases ? 1 : 0)
  for (const ids of [membership.voters, membership.votersOutgoing, membership.learners]) {
    writer.varint(ids.length)
    for (const id of ids) writer.text(id)
  }
  const addresses = Object.entries(membership.addresses)
  writer.varint(addresses.length)
  for (const [id, urls] of addresses) {
    writer.text(id).varint(urls.length)
    for (const url of urls) writer.text(url)
  }
  const incarnations = Object.entries(membership.incarnations)
  writer.varint(membership.index).varint(incarnations.length)
  for (const [id, incarnation] of incarnations) writer.text(id).text(incarnation)
  return writer.finish()
}

/**
 * @param index where the configuration stands, for bytes too old to say so themselves
 * @throws {ProtocolError} on anything that {@link encodeMembership} would not write
 */
export function decodeMembership(bytes: Uint8Array, index: Index = 0): Membership {
  const reader = new ByteReader(bytes)
  const format = reader.u8()
  if (format !== FORMAT && format !== FORMAT_UP_TO_ADDRESSES)
    throw new ProtocolError(`a configuration of format ${String(format)}`)
  const leases = reader.u8()
  if (leases > 1) throw new ProtocolError('a flag that is neither 0 nor 1')
  const voters = readIds(reader)
  const votersOutgoing = readIds(reader)
  const learners = readIds(reader)
  const addresses = readAddresses(reader)
  const rest =
    format === FORMAT
      ? { index: reader.varint(), incarnations: readIncarnations(reader) }
      : { index, incarnations: {} }
  reader.end()
  return { voters, votersOutgoing, learners, addresses, ...rest, leases: leases === 1 }
}

function readIds(reader: ByteReader): NodeId[] {
  const ids = Array.from({ length: reader.count(2) }, () => readId(reader))
  if (new Set(ids).size !== ids.length) throw new ProtocolError('a configuration that names a server twice')
  return ids
}

function readId(reader: ByteReader): NodeId {
  const id = reader.text()
  if (!ID_PATTERN.test(id)) throw new ProtocolError('a server id that is none')
  return id
}

function readAddresses(reader: ByteReader): Record<NodeId, string[]> {
  // Without a prototype, so that an id such as __proto__ is a key like any other.
  const addresses = Object.create(null) as Record<NodeId, string[]>
  for (let left = reader.count(3); left > 0; left--) {
    const id = readId(reader)
    if (id in addresses) throw new ProtocolError('addresses of a server given twice')
    addresses[id] = Array.from({ length: reader.count(1) }, () => reader.text())
  }
  return addresses
}

function readIncarnations(reader: ByteReader): Record<NodeId, string> {
  const incarnations = Object.create(null) as Record<NodeId, string>
  for (let left = reader.count(2); left > 0; left--) {
    const id = readId(reader)
    if (id in incarnations) throw new ProtocolError('the incarnation of a server given twice')
    incarnations[id] = reader.text()
  }
  return incarnations
}

/** The configurations that the log holds, oldest first; the first stands for the snapshot, or for the bootstrap. */
export class Configurations {
  #all: { readonly index: Index; readonly membership: Membership }[]

  constructor(first: Membership, entries: readonly Entry[]) {
    this.#all = [{ index: first.index, membership: first }]
    for (const entry of entries) this.append(entry)
  }

  /** In force from the moment that its entry is in the log (§6). */
  get latest(): Membership {
    return this.#last().membership
  }

  /** Where the latest stands in the log; 0 for the bootstrap configuration. */
  get latestIndex(): Index {
    return this.#last().index
  }

  /** The one in force at `index`. */
  at(index: Index): Membership {
    const found = this.#all.findLast((configuration) => configuration.index <= index)
    assert(found !== undefined, 'the configuration at an index not compacted away is known')
    return found.membership
  }

  /** Does any of those in force at `index` or later say so? Newest first. */
  someFrom(index: Index, test: (membership: Membership) => boolean): boolean {
    for (let at = this.#all.length - 1; at >= 0; at--) {
      const configuration = this.#all[at]
      if (configuration === undefined) break
      if (test(configuration.membership)) return true
      if (configuration.index <= index) break
    }
    return false
  }

  /** The one in force at `index` and all later ones, oldest first. */
  from(index: Index): Membership[] {
    const first = this.#all.findLastIndex((configuration) => configuration.index <= index)
    return this.#all.slice(Math.max(first, 0)).map(({ membership }) => membership)
  }

  append(entry: Entry): void {
    if (entry.index <= this.latestIndex) return
    this.#all.push({
      index: entry.index,
      membership: { ...decodeMembership(payloadOf(entry)), index: entry.index },
    })
  }

  /** Entries from `index` on are gone. Returns whether another configuration is in force now. */
  truncateFrom(index: Index): boolean {
    const before = this.#all.length
    while (this.#all.length > 1 && this.latestIndex >= index) this.#all.pop()
    return this.#all.length !== before
  }

  /** A snapshot stands for everything up to `index`. */
  compactTo(index: Index): void {
    while (this.#all.length > 1 && (this.#all[1]?.index ?? Infinity) <= index) this.#all.shift()
  }

  /** A snapshot that does not fit the log replaces everything (§7). */
  reset(membership: Membership): void {
    this.#all = [{ index: membership.index, membership }]
  }

  #last(): { readonly index: Index; readonly membership: Membership } {
    const last = this.#all.at(-1)
    assert(last !== undefined, 'there is always a configuration')
    return last
  }
}
