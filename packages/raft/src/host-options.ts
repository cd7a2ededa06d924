/** What `RaftHost` takes, checked at the edge. */
import { systemClock, systemRandom, type Address } from '@lab/rpc'
import { badRequest } from './errors.ts'
import type { HostStorage } from './host-storage.ts'
import {
  DEFAULT_TIMING,
  checkId,
  checkTiming,
  checkTransports,
  completeAddress,
  listOf,
  type RaftNodeOptions,
} from './options.ts'
import type { RpcSettings } from './rpc-options.ts'
import type { StateMachine } from './state-machine.ts'

type FromNode =
  | 'id'
  | 'clusterId'
  | 'transport'
  | 'transports'
  | 'services'
  | 'token'
  | 'peerToken'
  | 'origins'
  | 'insecure'
  | 'timing'
  | 'rpcLimits'
  | 'timeout'
  | 'clock'
  | 'random'
  | 'trace'
  | 'logger'

/** What the groups of a process share; each as in {@link RaftNodeOptions}. */
export interface RaftHostOptions extends Pick<RaftNodeOptions, FromNode> {
  readonly listen: Address | readonly Address[]
  readonly storage: HostStorage
}

/** What a group has of its own; each as in {@link RaftNodeOptions}. */
export interface RaftGroupOptions<M extends StateMachine = StateMachine> extends Pick<
  RaftNodeOptions<M>,
  | 'members'
  | 'join'
  | 'leases'
  | 'stateMachine'
  | 'codec'
  | 'resultCodec'
  | 'queryCodec'
  | 'answerCodec'
  | 'requestKinds'
  | 'limits'
  | 'snapshotEveryBytes'
> {
  /** Its number, the same in all processes: a whole number from 0 to 2^32 - 1. */
  readonly group: number
}

/** @throws {RaftError} `BAD_REQUEST` on the first option that is not acceptable */
export function checkHostOptions(options: RaftHostOptions): RpcSettings {
  const { id, clusterId = 'lab', clock = systemClock, random = systemRandom } = options
  checkId(id, 'id')
  checkId(clusterId, 'clusterId')
  const transports = checkTransports(options)
  const listen = listOf(options.listen).map((address) => completeAddress(address, transports))
  if (listen.length === 0) throw badRequest('listen needs at least one address')
  const timing = checkTiming({ ...DEFAULT_TIMING, ...options.timing })
  return { id, clusterId, transports, listen, timing, clock, random }
}
