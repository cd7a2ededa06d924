/** Turns what has gathered since the last time into one {@link Ready}: one message per follower, one write, one batch to apply. */
import type { Index } from '../types.ts'
import { nextDeadline } from './deadline.ts'
import { takeInstall } from './install.ts'
import type { Envelope } from './messages.ts'
import { emptyOutbox } from './outbox.ts'
import { answerReads, beginRound } from './read-index.ts'
import type { Ready, Write } from './ready.ts'
import { reconfigure } from './reconfigure.ts'
import { replicate } from './replication.ts'
import type { State } from './state.ts'

/** Of entries that everybody has. Nobody waits for them, and large ones would live just long enough to die in V8's old generation. */
const UNASKED_BYTES_MAX = 1024 * 1024

// Of most turns there is nothing of these: the same nothing for all of them.
const NO_WRITE = { write: null, sendWhenDurable: [] } as const
const NOTHING_COMMITTED = { committed: [], committedOnDisk: null } as const

export function takeReady(state: State): Ready {
  if (state.leadership !== null) reconfigure(state, state.leadership)
  const { leadership } = state
  if (leadership !== null) {
    beginRound(state, leadership)
    replicate(state, leadership)
    answerReads(state, leadership)
  }
  const { write, sendWhenDurable } = takeWrite(state)
  const snapshotWrite = state.outbox.snapshotWrite ?? takeInstall(state)
  const { committed, committedOnDisk } = takeCommitted(state)
  announceCommit(state)
  const { sendNow, reads, fetches, snapshotReads, changes } = state.outbox
  state.outbox = emptyOutbox()
  return {
    sendNow,
    write,
    sendWhenDurable,
    committed,
    committedOnDisk,
    reads,
    fetches,
    snapshotReads,
    snapshotWrite,
    changes,
    deadline: nextDeadline(state),
  }
}

function takeWrite(state: State): { write: Write | null; sendWhenDurable: readonly Envelope[] } {
  const { durability, log, hardState, now, limits } = state
  if (durability.writing || !durability.pending(log)) return NO_WRITE
  return durability.takeWrite(log, { hardState, now, bytesMax: limits.writeBytesMax })
}

/** What may be applied now: committed, and durable here too. */
function takeCommitted(state: State): Pick<Ready, 'committed' | 'committedOnDisk'> {
  const { log, durability } = state
  const first = state.handedOutIndex + 1
  const last = Math.min(state.commitIndex, durability.durableIndex)
  if (last < first) {
    evict(state, Math.min(state.handedOutIndex, durability.durableIndex))
    return NOTHING_COMMITTED
  }
  const memoryFirst = Math.max(first, log.memoryFirst)
  const committed = memoryFirst <= last ? log.slice(memoryFirst, last) : []
  const diskLast = Math.min(last, memoryFirst - 1)
  const committedOnDisk = diskLast >= first ? { first, last: diskLast } : null
  state.handedOutIndex = last
  evict(state, last)
  return { committed, committedOnDisk }
}

/** Lets entries up to `last`, which are durable and handed out, leave memory: those that a follower still lacks later than others. */
function evict(state: State, last: Index): void {
  const { log } = state
  const { cacheBytesMax, cacheEntriesMax } = state.limits
  log.evict(last, cacheBytesMax, cacheEntriesMax)
  log.evict(Math.min(last, heldByAll(state)), Math.min(cacheBytesMax, UNASKED_BYTES_MAX), cacheEntriesMax)
}

function heldByAll({ leadership }: State): Index {
  let least = Infinity
  if (leadership !== null)
    for (const { matchIndex } of leadership.followers.values()) least = Math.min(least, matchIndex)
  return least
}

function announceCommit(state: State): void {
  if (state.commitIndex === state.announcedCommit) return
  state.announcedCommit = state.commitIndex
  state.changed({ type: 'committed', index: state.commitIndex })
}
