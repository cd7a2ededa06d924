/** Options by their names: who has no types is told of one that was mistyped. */
import { badRequest } from './errors.ts'
import type { RaftNodeOptions } from './options.ts'

/** All that there are: TypeScript sees to it. */
const OPTION_NAMES: Readonly<Record<keyof RaftNodeOptions, true>> = {
  id: true,
  members: true,
  join: true,
  leases: true,
  transport: true,
  transports: true,
  storage: true,
  stateMachine: true,
  codec: true,
  resultCodec: true,
  queryCodec: true,
  answerCodec: true,
  requestKinds: true,
  clusterId: true,
  listen: true,
  services: true,
  token: true,
  peerToken: true,
  origins: true,
  insecure: true,
  timing: true,
  limits: true,
  rpcLimits: true,
  snapshotEveryBytes: true,
  timeout: true,
  clock: true,
  random: true,
  trace: true,
  logger: true,
}

/** @throws {RaftError} `BAD_REQUEST` on an option that does not exist */
export function checkOptionNames(options: object): void {
  checkNames(options, OPTION_NAMES, 'RaftNode.start')
}

/** Without types a name that was mistyped would be a default that nobody meant. */
export function checkNames(given: object, known: object, what: string): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (unknown !== undefined)
    throw badRequest(`${what} has no '${unknown}'; it has ${Object.keys(known).join(', ')}`)
}
