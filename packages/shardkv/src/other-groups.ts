import type { Client, Milliseconds } from '@lab/rpc'
import type { GroupClients } from './group-clients.ts'
import type { Remote } from './migration.ts'
import { ShardService, type PageAnswer, type PageRequest, type ShardMove } from './shard-service.ts'

/** What a group's leader asks of other groups. Questions change nothing: one that failed is asked again, elsewhere. */
export interface OtherGroups {
  /** @param attempt another server each time @returns `not-here` also when nobody answered. Never rejects */
  page(
    from: Remote,
    request: Omit<PageRequest, 'gid'>,
    attempt: number,
    signal: AbortSignal,
  ): Promise<PageAnswer>
  /** @returns those that the group has. Never rejects */
  taken(
    to: Remote,
    moves: readonly ShardMove[],
    attempt: number,
    signal: AbortSignal,
  ): Promise<readonly ShardMove[]>
}

/** Of one question. */
const TIMEOUT_MS: Milliseconds = 2000

/** Over RPC. */
export function otherGroups(groups: GroupClients): OtherGroups {
  const serverOf = (remote: Remote, attempt: number): Client<(typeof ShardService)['methods']> | null => {
    const servers = groups.of(remote)?.clients(ShardService) ?? []
    return servers[attempt % servers.length] ?? null
  }
  return {
    async page(from, request, attempt, signal) {
      const server = serverOf(from, attempt)
      if (server === null) return { kind: 'not-here' }
      try {
        return await server.page({ gid: from.gid, ...request }, { timeout: TIMEOUT_MS, signal })
      } catch {
        return { kind: 'not-here' }
      }
    },
    async taken(to, moves, attempt, signal) {
      const server = serverOf(to, attempt)
      if (server === null) return []
      try {
        const answer = await server.taken({ gid: to.gid, moves }, { timeout: TIMEOUT_MS, signal })
        return moves.filter((_, at) => answer[at] === 1)
      } catch {
        return []
      }
    },
  }
}
