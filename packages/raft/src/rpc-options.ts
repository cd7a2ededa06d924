import { tokensOf, type LinkOptions, type LocalIdentity, type PeerInfo, type ServeOptions } from '@lab/rpc'
import type { RaftNodeOptions, Settings } from './options.ts'

/** What all groups of a process share. */
export type SharedOptions = Pick<
  RaftNodeOptions,
  'token' | 'peerToken' | 'origins' | 'insecure' | 'rpcLimits' | 'trace' | 'logger'
>
export type RpcSettings = Pick<
  Settings,
  'id' | 'clusterId' | 'transports' | 'listen' | 'timing' | 'clock' | 'random'
>

/** How this server listens. */
export function serveOptions(
  options: SharedOptions,
  settings: RpcSettings,
  identity: LocalIdentity,
  onHandshake: (peer: PeerInfo) => Promise<void>,
): ServeOptions {
  const { token, origins, insecure } = options
  return {
    ...seams(options, settings),
    listen: [...settings.listen],
    identity,
    onHandshake,
    ...(token === undefined ? {} : { token }),
    ...(origins === undefined ? {} : { origins: [...origins] }),
    ...(insecure === undefined ? {} : { insecure }),
  }
}

/** How this server dials its peers. */
export function linkOptions(
  options: SharedOptions,
  settings: RpcSettings,
  identity: LocalIdentity,
): LinkOptions {
  const token = options.peerToken ?? tokenForPeers(options.token)
  return {
    ...seams(options, settings),
    identity: token === undefined ? identity : { ...identity, token },
    // A peer that returns should not be missed for longer than an election takes.
    reconnect: {
      minMs: Math.ceil(settings.timing.heartbeatMs / 2),
      maxMs: settings.timing.electionTimeoutMsMax,
    },
  }
}

function seams(
  { trace, rpcLimits }: SharedOptions,
  { transports, clock, random }: RpcSettings,
): Pick<ServeOptions & LinkOptions, 'transports' | 'clock' | 'random' | 'trace' | 'limits'> {
  return {
    transports: [...transports],
    clock,
    random,
    ...(trace === undefined ? {} : { trace }),
    ...(rpcLimits === undefined ? {} : { limits: rpcLimits }),
  }
}

function tokenForPeers(token: SharedOptions['token']): string | undefined {
  return token === undefined || typeof token === 'function' ? undefined : tokensOf(token, 'peer')[0]
}
