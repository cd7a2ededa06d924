/** A change of membership as people write it, checked at the edge. */
import type { Address } from '@lab/rpc'
import type { MembershipChange } from '../core/membership-change.ts'
import { badRequest } from '../errors.ts'
import type { NodeId } from '../types.ts'

type Addresses = Readonly<Record<NodeId, Address | readonly Address[]>>

/** What is to be different; each server is named once. What is not named stays as it is. */
export interface MembershipChangeInput {
  /** Become voters, once they have caught up with the log as learners. */
  readonly add?: Addresses
  /** Receive the log and serve reads, have no vote. */
  readonly addLearners?: Addresses
  /** Learners that become voters, once they have caught up. */
  readonly promote?: readonly NodeId[]
  /** Voters that become learners. */
  readonly demote?: readonly NodeId[]
  readonly remove?: readonly NodeId[]
  /** Members that are reached elsewhere now. Who they are does not change. */
  readonly addresses?: Addresses
  /** Lease reads on or off, see `RaftNodeOptions.leases`. */
  readonly leases?: boolean
}

const ID_PATTERN = /^[A-Za-z0-9._-]{1,64}$/
const MAPS = ['add', 'addLearners', 'addresses'] as const
const LISTS = ['promote', 'demote', 'remove'] as const

/**
 * @param complete gives an address its scheme
 * @throws {RaftError} `BAD_REQUEST` with the value that is not acceptable
 */
export function checkChange(input: unknown, complete: (address: Address) => Address): MembershipChange {
  const given = objectOf(input, 'a change of membership')
  const known: readonly string[] = [...MAPS, ...LISTS, 'leases']
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw refused(`a change of membership has no '${unknown}'; it has ${known.join(', ')}`)
  const change: Record<string, unknown> = {}
  for (const key of MAPS) if (given[key] !== undefined) change[key] = addressesOf(given[key], key, complete)
  for (const key of LISTS) if (given[key] !== undefined) change[key] = idsOf(given[key], key)
  if (given['leases'] !== undefined) change['leases'] = given['leases'] === true
  return change
}

function addressesOf(
  value: unknown,
  what: string,
  complete: (address: Address) => Address,
): Record<NodeId, Address[]> {
  const entries = Object.entries(objectOf(value, what)).map(([id, listed]) => {
    const list: unknown[] = Array.isArray(listed) ? listed : [listed]
    const addresses = list.map((address) => {
      if (typeof address === 'string' && address !== '') return complete(address)
      throw refused(`${what}.${id} needs addresses such as 'localhost:7001', not ${String(address)}`)
    })
    if (addresses.length === 0) throw refused(`${what}.${id} needs at least one address`)
    return [idOf(id, what), addresses] as const
  })
  return Object.fromEntries(entries)
}

function idsOf(value: unknown, what: string): NodeId[] {
  if (!Array.isArray(value)) throw refused(`${what} must be a list of ids, not ${String(value)}`)
  return value.map((id: unknown) => idOf(id, what))
}

function idOf(id: unknown, what: string): NodeId {
  if (typeof id === 'string' && ID_PATTERN.test(id)) return id
  throw refused(`${what}: an id has 1 to 64 of letters, digits, '.', '_', '-', not ${String(id)}`)
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw refused(`${what} must be an object, not ${String(value)}`)
}

function refused(message: string): Error {
  return badRequest(message, { outcome: 'not-applied' })
}
