/**
 * Who serves which shard after groups came, went or changed weight: balanced, and with the fewest shards moved. Pure, and the same
 * on every replica: it depends on numbers alone, and goes through groups and shards in ascending order.
 */
import { NOBODY, gidsOf, weightOf, type Config, type Gid } from './config.ts'

/** What {@link rebalance} looks at: `shards` as they are now, groups and weights as they shall be. */
export type Placement = Pick<Config, 'shards' | 'groups' | 'weights' | 'pinned'>

/**
 * The new owner of each shard.
 *
 * A group's fair share is (its weight ÷ all weights) of the shards that are not pinned; it gets the whole number below or above.
 * So groups of one weight differ by one at most. No other placement so balanced moves fewer shards. A pinned shard stays where it is;
 * whether its owner is still there is for the caller to see to.
 */
export function rebalance(placement: Placement): Gid[] {
  const gids = gidsOf(placement)
  if (gids.length === 0) return placement.shards.map(() => NOBODY)
  const pinned = new Set(placement.pinned)
  const held = holdings(placement, gids, pinned)
  const targets = targetsOf(placement, gids, held)
  const shards = [...placement.shards]
  const free = shards.flatMap((owner, shard) => (pinned.has(shard) || held.has(owner) ? [] : [shard]))
  // What a group has too much of goes from its end, so that a shard that has come stays when the next group comes.
  for (const gid of gids) free.push(...(held.get(gid) ?? []).slice(targets.get(gid) ?? 0))
  free.sort((a, b) => a - b)
  let next = 0
  for (const gid of gids) {
    const missing = (targets.get(gid) ?? 0) - (held.get(gid)?.length ?? 0)
    for (let count = 0; count < missing; count++) shards[free[next++] as number] = gid
  }
  return shards
}

/** The shards of each group that may be moved, ascending. */
function holdings(
  { shards }: Placement,
  gids: readonly Gid[],
  pinned: ReadonlySet<number>,
): Map<Gid, number[]> {
  const held = new Map<Gid, number[]>(gids.map((gid) => [gid, []]))
  for (const [shard, owner] of shards.entries()) if (!pinned.has(shard)) held.get(owner)?.push(shard)
  return held
}

/**
 * How many shards each group shall have: its share rounded down, and one more for as many groups as it takes. Whoever has more
 * than its share rounded down comes first, as one more for it is one move less; then the larger remainder, then the lower id.
 */
function targetsOf(
  placement: Placement,
  gids: readonly Gid[],
  held: ReadonlyMap<Gid, readonly number[]>,
): Map<Gid, number> {
  const all = placement.shards.length - new Set(placement.pinned).size
  const weights = gids.reduce((sum, gid) => sum + weightOf(placement, gid), 0)
  const shares = gids.map((gid) => {
    const product = all * weightOf(placement, gid)
    const remainder = product % weights
    return { gid, floor: (product - remainder) / weights, remainder }
  })
  const extras = all - shares.reduce((sum, { floor }) => sum + floor, 0)
  const saves = ({ gid, floor }: { readonly gid: Gid; readonly floor: number }): number =>
    Number((held.get(gid)?.length ?? 0) > floor)
  const lucky = shares
    .filter(({ remainder }) => remainder > 0)
    .sort((a, b) => saves(b) - saves(a) || b.remainder - a.remainder || a.gid - b.gid)
    .slice(0, extras)
  const targets = new Map(shares.map(({ gid, floor }) => [gid, floor]))
  for (const { gid, floor } of lucky) targets.set(gid, floor + 1)
  return targets
}
