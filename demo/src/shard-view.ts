/** Where each shard is, made of what the groups say. */
import type { GroupStatus } from '@lab/shardkv/clerk'

export interface ShardView {
  /** The group that serves it, or that it is on its way to; 0 while nobody has said. */
  readonly gid: number
  readonly isMoving: boolean
}

const UNKNOWN: ShardView = { gid: 0, isMoving: false }

/**
 * Only leaders are asked: another replica may tell of what has passed. Of a shard of which no leader speaks stays what was known.
 *
 * @param known the views before
 */
export function shardViews(
  reports: readonly GroupStatus[],
  known: readonly ShardView[],
  count: number,
): ShardView[] {
  const views = Array.from({ length: count }, (_, shard) => known[shard] ?? UNKNOWN)
  const said = reports
    .filter(({ isLeader }) => isLeader)
    .flatMap(({ gid, shards }) => shards.map((report) => ({ gid, report })))
  // Who serves it has the last word, then who waits for it; its old group still has a copy.
  for (const state of ['frozen', 'waiting', 'serving'] as const)
    for (const { gid, report } of said)
      if (report.state === state)
        views[report.shard] =
          state === 'frozen' ? { gid: report.other, isMoving: true } : { gid, isMoving: state === 'waiting' }
  return views
}

/** A, B, C … in the order of groups. */
export function letterOf(gid: number, gids: readonly number[]): string {
  return String.fromCharCode('A'.charCodeAt(0) + (gids.indexOf(gid) % 26))
}

/** One letter for each shard: its group; a small one while it is on its way there, and a point where nobody has said. */
export function shardMap(views: readonly ShardView[], gids: readonly number[]): string {
  return views
    .map(({ gid, isMoving }) => {
      if (!gids.includes(gid)) return '·'
      const letter = letterOf(gid, gids)
      return isMoving ? letter.toLowerCase() : letter
    })
    .join('')
}
