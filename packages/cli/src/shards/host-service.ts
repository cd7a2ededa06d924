/** What a machine of a sharded store does when it is told: says what runs on it, takes part in a group, leaves one. Admins only. */
import { service, unary } from '@lab/rpc'

/** Group 0 is the controller. */
export interface ReplicaStart {
  readonly group: number
  /** Node id → addresses: who the group begins with, this node among them. Missing for a replica that waits to be added. */
  readonly members?: Readonly<Record<string, readonly string[]>>
  /** Addresses of the group that it waits for. */
  readonly join?: readonly string[]
}

export interface HostReport {
  readonly id: string
  /** Numbers of the groups of which a replica runs here, ascending. */
  readonly groups: readonly number[]
}

export const HostService = service('lab-host', {
  about: unary<undefined, HostReport>(),
  /** Of a group that runs here already it does nothing. */
  start: unary<ReplicaStart, null>(),
  /** Stops the replica and removes its data. Of a group that does not run here it does nothing. */
  stop: unary<number, null>(),
})
