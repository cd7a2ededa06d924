/** What `RaftNode.start` takes, checked at the edge: a bad option is refused with its value and what is accepted. */
import {
  defaultLimits,
  systemClock,
  systemRandom,
  type Address,
  type Clock,
  type Codec,
  type Implementation,
  type Limits,
  type Milliseconds,
  type Random,
  type TokenCheck,
  type TraceSink,
  type Transport,
} from '@lab/rpc'
import { DEFAULT_LIMITS } from './core/raft.ts'
import type { CoreLimits, Timing } from './core/ready.ts'
import type { RequestKinds } from './driver/request-meter.ts'
import { badRequest } from './errors.ts'
import { checkNames } from './option-names.ts'
import type { StateMachine } from './state-machine.ts'
import type { Storage } from './storage.ts'
import type { NodeId } from './types.ts'

/** Where a node tells people what they should know. `console` is one. */
export interface Logger {
  info(text: string): void
  warn(text: string): void
  error(text: string): void
}

/** Bounds of one node. Bytes are of command payloads or log records. */
export interface RaftLimits extends CoreLimits {
  /** Proposals that wait at this node, and their bytes: then `BUSY`. Default 16 384 and 64 MiB. */
  readonly proposalsMax: number
  readonly proposalBytesMax: number
  /** About how long a proposal may wait for those before it: no more are taken than are applied in that time. Default one second. */
  readonly proposalWaitMs: Milliseconds
  /** One command or query. Default 1 MiB; `rpcLimits.messageBytesMax` must leave room for it. */
  readonly commandBytesMax: number
  /** Of log kept behind a snapshot for followers that are a little behind. Default: a quarter of `snapshotEveryBytes`. */
  readonly trailingBytes: number
  /** Clients remembered for exactly-once; the longest unused are forgotten first. Default 16 384. */
  readonly sessionsMax: number
  /** After so much log time without a command a client may be forgotten. Default one hour. */
  readonly sessionIdleMs: Milliseconds
}

export interface RaftNodeOptions<M extends StateMachine = StateMachine> {
  /** This server's name, for ever: letters, digits, `.`, `_`, `-`; at most 64. */
  readonly id: NodeId
  /**
   * Every server's address or addresses. Bootstraps an empty storage only: afterwards the configuration in the log counts, and a
   * difference is reported.
   */
  readonly members?: Readonly<Record<NodeId, Address | readonly Address[]>>
  /**
   * Addresses of a cluster that this server is to be added to, with `changeMembership` there: an empty storage waits for it. Then
   * `members` is left out, and `listen` says where this server is reached.
   */
  readonly join?: readonly Address[]
  /**
   * Allows lease reads in the cluster that this bootstraps: then a server that restarts waits for one longest election timeout
   * before it votes. Like `members` it counts for an empty storage only. Default false.
   */
  readonly leases?: boolean
  readonly transport?: Transport
  /** Instead of `transport`: each address is dialled by the transport of its scheme. */
  readonly transports?: readonly Transport[]
  readonly storage: Storage
  /** Without one the node takes part in elections only: `whileLeader`. */
  readonly stateMachine?: M
  /** Of commands. Default: JSON that refuses what does not round-trip. The same on all servers, as are the other codecs. */
  readonly codec?: Codec<Parameters<M['apply']>[0]>
  /** Of what `apply` returns. */
  readonly resultCodec?: Codec<ReturnType<M['apply']>>
  /** Of what `RaftClient.read` asks and `query` answers. */
  readonly queryCodec?: Codec<unknown>
  readonly answerCodec?: Codec<unknown>
  /** What `metrics().requests` tell apart. Default: commands and queries by their first byte. */
  readonly requestKinds?: RequestKinds
  /** Servers and clients of different clusters refuse each other. Default `lab`. */
  readonly clusterId?: string
  /** Default: this server's own addresses in `members`. */
  readonly listen?: Address | readonly Address[]
  /** The app's own services, on the same port. */
  readonly services?: readonly Implementation[]
  /** What others must show: one text for all, texts by role (`{ peer, client, admin }`), or a rule. */
  readonly token?: TokenCheck
  /** What this server shows to its peers. Default: the one of `token`, the first of several, unless it is a rule. */
  readonly peerToken?: string
  readonly origins?: readonly string[]
  readonly insecure?: boolean
  readonly timing?: Partial<Timing>
  readonly limits?: Partial<RaftLimits>
  readonly rpcLimits?: Partial<Limits>
  /** A snapshot is made after so many bytes of log, or a quarter of the last snapshot's where that is more. Default 64 MiB; Infinity for never. */
  readonly snapshotEveryBytes?: number
  /** When `propose` and `read` are given none. Default 10 s. */
  readonly timeout?: Milliseconds
  readonly clock?: Clock
  readonly random?: Random
  readonly trace?: TraceSink
  readonly logger?: Logger
}

/** Rare enough that an idle server costs next to nothing, short enough that a dead leader is replaced in about half a second. */
export const DEFAULT_TIMING: Timing = {
  heartbeatMs: 100,
  electionTimeoutMsMin: 300,
  electionTimeoutMsMax: 600,
}
const MIB = 1024 * 1024
const SNAPSHOT_EVERY_BYTES = 64 * MIB
const TIMEOUT_MS = 10_000
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i
const ID_PATTERN = /^[A-Za-z0-9._-]{1,64}$/

export type ResolvedLimits = Omit<RaftLimits, keyof CoreLimits>

/** Options with every default filled in. */
export interface Settings {
  readonly id: NodeId
  /** Empty for a server that joins and names none. */
  readonly members: Readonly<Record<NodeId, readonly Address[]>>
  /** Null for a server that does not join. */
  readonly join: readonly Address[] | null
  /** Undefined when the options do not say. */
  readonly leases: boolean | undefined
  readonly transports: readonly Transport[]
  readonly clusterId: string
  readonly listen: readonly Address[]
  readonly timing: Timing
  readonly limits: ResolvedLimits
  readonly coreLimits: Partial<CoreLimits>
  readonly snapshotEveryBytes: number
  readonly timeout: Milliseconds
  readonly clock: Clock
  readonly random: Random
}

/** @throws {RaftError} `BAD_REQUEST` on the first option that is not acceptable */
export function checkOptions<M extends StateMachine>(options: Omit<RaftNodeOptions<M>, 'storage'>): Settings {
  const { id, clusterId = 'lab', timeout = TIMEOUT_MS, clock = systemClock, random = systemRandom } = options
  checkId(id, 'id')
  checkId(clusterId, 'clusterId')
  checkPositive(timeout, 'timeout')
  const transports = checkTransports(options)
  const join =
    options.join === undefined ? null : listOf(options.join).map((each) => completeAddress(each, transports))
  const members =
    join !== null && options.members === undefined ? {} : checkMembers(options.members ?? {}, id, transports)
  const listen = options.listen === undefined ? (members[id] ?? []) : listOf(options.listen)
  if (listen.length === 0) throw badRequest('listen needs at least one address: where this server is reached')
  checkMachine(options.stateMachine)
  const snapshotEveryBytes = options.snapshotEveryBytes ?? SNAPSHOT_EVERY_BYTES
  checkPositive(snapshotEveryBytes, 'snapshotEveryBytes')
  const timing = checkTiming({ ...DEFAULT_TIMING, ...options.timing })
  const { limits, coreLimits } = splitLimits(options.limits ?? {}, snapshotEveryBytes)
  checkMessageSize(limits, coreLimits, options.rpcLimits?.messageBytesMax ?? defaultLimits.messageBytesMax)
  return {
    id,
    members,
    join,
    leases: options.leases,
    transports,
    clusterId,
    listen,
    timing,
    limits,
    coreLimits,
    snapshotEveryBytes,
    timeout,
    clock,
    random,
  }
}

/** @throws {RaftError} `BAD_REQUEST` */
export function checkGroup(group: number): number {
  if (Number.isInteger(group) && group >= 0 && group < 2 ** 32) return group
  throw badRequest(`group must be a whole number from 0 to 2^32 - 1, not ${show(group)}`)
}

function checkMembers(
  members: NonNullable<RaftNodeOptions['members']>,
  id: NodeId,
  transports: readonly Transport[],
): Record<NodeId, readonly Address[]> {
  const checked: Record<NodeId, readonly Address[]> = {}
  // Sorted, so that every server bootstraps the same configuration however its options are written.
  for (const member of Object.keys(members).sort()) {
    checkId(member, 'a key of members')
    const addresses = listOf(members[member] ?? [])
    if (addresses.length === 0 || addresses.some((address) => typeof address !== 'string' || address === ''))
      throw badRequest(
        `members.${member} needs at least one address such as 'localhost:7001', not ${show(members[member])}`,
      )
    checked[member] = addresses.map((address) => completeAddress(address, transports))
  }
  if (!(id in checked))
    throw badRequest(
      `members must hold this server's own id ${id}; it holds ${Object.keys(checked).join(', ') || 'nobody'}`,
    )
  return checked
}

/** Addresses travel, in the configuration and in hints: there they need their scheme. */
export function completeAddress(address: Address, transports: readonly Transport[]): Address {
  return SCHEME.test(address) ? address : `${transports[0]?.schemes[0] ?? ''}://${address}`
}

export function checkTransports({
  transport,
  transports,
}: Pick<RaftNodeOptions, 'transport' | 'transports'>): readonly Transport[] {
  const all = [...(transport === undefined ? [] : [transport]), ...(transports ?? [])]
  if (all.length === 0) throw badRequest("transport is missing: give one, such as tcp() of '@lab/rpc/tcp'")
  for (const each of all as readonly Partial<Transport>[])
    if (typeof each.connect !== 'function')
      throw badRequest(`transport must be one such as tcp(), not ${show(each)}`)
  return all
}

/** @throws {RaftError} `BAD_REQUEST` on what is no storage, such as the name of a folder */
export function checkStorage(storage: { readonly open?: unknown } | undefined): void {
  if (typeof storage?.open !== 'function')
    throw badRequest(`storage must be one such as fileStorage('./data/n1'), not ${show(storage)}`)
}

function checkMachine(machine: StateMachine | undefined): void {
  if (machine === undefined) return
  if (typeof machine.apply !== 'function')
    throw badRequest('stateMachine needs a method apply(command, context)')
  if ((machine.snapshot === undefined) !== (machine.restore === undefined))
    throw badRequest('stateMachine needs both snapshot() and restore(chunks), or neither')
}

export function checkTiming(timing: Timing): Timing {
  const { heartbeatMs, electionTimeoutMsMin, electionTimeoutMsMax } = timing
  checkNames(timing, DEFAULT_TIMING, 'timing')
  for (const [name, value] of Object.entries(timing)) checkPositive(value as number, `timing.${name}`)
  // §5.6: broadcast time ≪ election timeout. Two heartbeats are the least that lets one be lost.
  if (electionTimeoutMsMin < 2 * heartbeatMs)
    throw badRequest(
      `timing.electionTimeoutMsMin must be at least two heartbeats (${2 * heartbeatMs} ms), not ${electionTimeoutMsMin}`,
    )
  if (electionTimeoutMsMax < electionTimeoutMsMin)
    throw badRequest(
      `timing.electionTimeoutMsMax must not be below electionTimeoutMsMin (${electionTimeoutMsMin}), not ${electionTimeoutMsMax}`,
    )
  return timing
}

function splitLimits(
  given: Partial<RaftLimits>,
  snapshotEveryBytes: number,
): { limits: ResolvedLimits; coreLimits: Partial<CoreLimits> } {
  for (const [name, value] of Object.entries(given))
    if (name === 'trailingBytes') checkNotNegative(value, `limits.${name}`)
    else checkPositive(value, `limits.${name}`)
  const {
    proposalsMax = 16_384,
    proposalBytesMax = 64 * MIB,
    proposalWaitMs = 1000,
    commandBytesMax = MIB,
    trailingBytes = Math.min(snapshotEveryBytes, SNAPSHOT_EVERY_BYTES) / 4,
    sessionsMax = 16_384,
    sessionIdleMs = 3_600_000,
    ...coreLimits
  } = given
  const limits = {
    ...{ proposalsMax, proposalBytesMax, proposalWaitMs },
    ...{ commandBytesMax, trailingBytes, sessionsMax, sessionIdleMs },
  }
  checkNames(given, { ...limits, ...DEFAULT_LIMITS }, 'limits')
  return { limits, coreLimits }
}

/** What a message holds besides a command or a chunk, at most. */
const MESSAGE_OVERHEAD_BYTES = 4096

function checkMessageSize(
  limits: ResolvedLimits,
  coreLimits: Partial<CoreLimits>,
  messageBytesMax: number,
): void {
  const { appendBytesMax = 0, snapshotChunkBytes = 0 } = coreLimits
  const largest = Math.max(limits.commandBytesMax, appendBytesMax, snapshotChunkBytes)
  if (largest + MESSAGE_OVERHEAD_BYTES <= messageBytesMax) return
  throw badRequest(
    `limits allow messages of ${largest} bytes: rpcLimits.messageBytesMax must be at least ${largest + MESSAGE_OVERHEAD_BYTES}, not ${messageBytesMax}`,
  )
}

export function checkId(id: unknown, what: string): void {
  if (typeof id !== 'string' || !ID_PATTERN.test(id))
    throw badRequest(`${what} must be 1 to 64 of letters, digits, '.', '_', '-', not ${show(id)}`)
}

function checkPositive(value: unknown, what: string): void {
  if (typeof value !== 'number' || !(value > 0))
    throw badRequest(`${what} must be a number above 0, not ${show(value)}`)
}

function checkNotNegative(value: unknown, what: string): void {
  if (typeof value !== 'number' || !(value >= 0))
    throw badRequest(`${what} must be a number from 0 on, not ${show(value)}`)
}

/** Whatever somebody without types may give. */
export function listOf(addresses: Address | readonly Address[]): readonly Address[] {
  return Array.isArray(addresses) ? (addresses as readonly Address[]) : [addresses as Address]
}

function show(value: unknown): string {
  if (typeof value === 'function') return `the function ${value.name}, which is to be called`
  return typeof value === 'string' ? `'${value}'` : String(value)
}
