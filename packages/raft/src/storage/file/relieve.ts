/**
 * A group that writes seldom keeps its few entries in segments that are old: they would pin those, and all that came after
 * them, for ever. Its entries are written again, at the end, once less than half of the log's files is of use: so what is
 * copied is never more than what was written since the last time, and the files take at most about twice what is in them.
 */
import { SECTOR_BYTES } from './format.ts'
import type { GroupLog } from './group-log.ts'
import { Pace } from './pace.ts'
import type { SharedLog } from './shared-log.ts'

export interface RelieveOptions {
  readonly log: SharedLog
  readonly groups: ReadonlyMap<number, GroupLog>
}

/** Fewer segments are never worth it. */
const SEGMENTS_MIN = 4
/** Of a segment: no write of others waits for more of it. Groups are read together up to so much. */
const PIECE_SHARE = 1 / 256

export async function relieve(options: RelieveOptions): Promise<void> {
  const { log } = options
  // What is written here is not looked at again, or small segments with many groups would be copied without end.
  const active = log.segments.at(-1)
  const last = active?.number ?? 0
  const pieceBytes = Math.max(SECTOR_BYTES, (active?.allocatedBytes ?? 0) * PIECE_SHARE)
  const pace = new Pace(log.growth)
  for (;;) {
    const [oldest] = log.segments
    if (oldest === undefined || oldest.number >= last || log.closing || !isWasteful(options)) return
    for (const chunk of chunksOf(pinning(options, oldest.number), pieceBytes)) {
      await Promise.all(chunk.map((group) => group.rewrite(pieceBytes, pace)))
      await pace.copied(pieceBytes)
    }
    await log.trim()
    // Pinned by something else, such as a removal that is not done: next time.
    if (log.segments[0] === oldest) return
  }
}

function isWasteful({ log, groups }: RelieveOptions): boolean {
  if (log.segments.length <= SEGMENTS_MIN) return false
  let live = 0
  for (const { state } of groups.values()) live += state.positions.bytes
  let written = 0
  for (const { end } of log.segments) written += end
  return written > 2 * live
}

function pinning({ groups }: RelieveOptions, segment: number): GroupLog[] {
  return [...groups.values()].filter(({ state }) => state.positions.at(0)?.segment === segment)
}

function chunksOf(groups: readonly GroupLog[], bytesMax: number): GroupLog[][] {
  const chunks: GroupLog[][] = []
  let bytes = Infinity
  for (const group of groups) {
    bytes += group.state.positions.bytes
    if (bytes > bytesMax) {
      chunks.push([])
      bytes = group.state.positions.bytes
    }
    chunks.at(-1)?.push(group)
  }
  return chunks
}
