/**
 * One follower as the leader sees it (Figure 2, nextIndex and matchIndex).
 *
 *      probe ──success──▶ replicate ──needs entries that are compacted away──▶ snapshot
 *        ▲                    │ refusal, broken channel                            │
 *        ├────────────────────┘                                                    │ installed
 *        └─────────────────────────────────────────────────────────────────────────┘
 *
 * probe: where the logs agree is unknown; one message at a time. replicate: the next message leaves before the one before
 * is acknowledged, up to the window. snapshot: chunks, one at a time. In every state a heartbeat follows `heartbeatMs`
 * after the last message, and its answer resolves whatever a lost message left open.
 */
import type { Index, NodeId, SnapshotMeta } from '../types.ts'
import { Inflight } from './inflight.ts'

/** A snapshot on its way to the follower. */
export interface Transfer {
  /** Which one; null until its first chunk was read. */
  meta: SnapshotMeta | null
  /** Where the next chunk begins: what the follower said it has. */
  offset: number
  /** `reading`: asked of the driver. `sent`: its answer is awaited. `idle`: the next is to be read. */
  step: 'idle' | 'reading' | 'sent'
  /** When `step` last changed: a chunk that stays unanswered is sent again. */
  since: number
}

export class Progress {
  readonly id: NodeId
  state: 'probe' | 'replicate' | 'snapshot' = 'probe'
  /** The follower's log equals ours up to here, durably; never decreases in a term. */
  matchIndex: Index = 0
  /** The next entry to send; > matchIndex. */
  nextIndex: Index
  /** In probe: a message is unanswered, only heartbeats may follow. */
  probing = false
  /** In replicate: what is sent and not acknowledged. */
  readonly inflight: Inflight
  /** In snapshot: how far it is. */
  transfer: Transfer | null = null
  /** Entries are being read back from storage for it. */
  fetching = false
  /** Entries up to `index` left at `at`: their acknowledgement measures the way there, to disk and back. */
  timing: { readonly index: Index; readonly at: number } | null = null
  /** The last such measure in milliseconds; null before the first. */
  roundTripMs: number | null = null
  /** Nothing needs to be said: its process speaks for it (hosts.ts). */
  quiet = false
  /** When a message last left for it. */
  sentAt = -Infinity
  /** When a heartbeat last left for it, which it answers whatever its disk does; ≤ sentAt. */
  askedAt = -Infinity
  /** When it was last heard of in this term (thesis §6.2). */
  heardAt: number
  /** The newest round that it was sent, and that it has answered. */
  sentRound = 0
  ackedRound = 0
  /** The newest round that it has answered to a message which reached the end of the log: what was committed then, it knows. */
  wholeRound = 0
  /** The commitIndex that it was last told. */
  sentCommit: Index = 0
  /** It stores all that the leader's log held at this time; -Infinity while that is not known. */
  caughtUpAt = -Infinity
  /** What the log held when its last round of catching up began (thesis §4.2.1). */
  #round: { readonly lastIndex: Index; readonly at: number }

  constructor(
    id: NodeId,
    nextIndex: Index,
    now: number,
    window: { readonly bytesMax: number; readonly messagesMax: number },
  ) {
    this.id = id
    this.nextIndex = nextIndex
    this.heardAt = now
    this.#round = { lastIndex: nextIndex - 1, at: now }
    this.inflight = new Inflight(window)
  }

  /** Look for where the logs agree, from `nextIndex` downwards. */
  becomeProbe(nextIndex: Index): void {
    this.#enter('probe')
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1)
  }

  /** The logs agree up to nextIndex - 1. */
  becomeReplicate(nextIndex: Index): void {
    this.#enter('replicate')
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1)
  }

  /** What it needs is compacted away. */
  becomeSnapshot(now: number): void {
    this.#enter('snapshot')
    this.transfer = { meta: null, offset: 0, step: 'idle', since: now }
  }

  /** It stores everything up to `index`, durably. */
  acknowledged(index: Index): void {
    this.matchIndex = Math.max(this.matchIndex, index)
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1)
    this.inflight.free(this.matchIndex)
  }

  /** A round of catching up ends when it stores what the log held as the round began; the next begins with the log as it is now. */
  measureLag(lastIndex: Index, now: number): void {
    if (this.matchIndex < this.#round.lastIndex) return
    this.caughtUpAt = this.#round.at
    this.#round = { lastIndex, at: now }
  }

  #enter(state: Progress['state']): void {
    this.state = state
    this.probing = false
    this.timing = null
    this.transfer = null
    this.inflight.clear()
  }
}
