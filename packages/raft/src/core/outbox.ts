/** What the core wants done, gathered until the driver takes it as a Ready. Only take-ready.ts empties it. */
import type { Envelope } from './messages.ts'
import type { Change, ReadAnswer, Ready, SnapshotChunk } from './ready.ts'

export interface Outbox {
  sendNow: Envelope[]
  reads: ReadAnswer[]
  fetches: Ready['fetches'][number][]
  snapshotReads: Ready['snapshotReads'][number][]
  snapshotWrite: SnapshotChunk | null
  changes: Change[]
}

export function emptyOutbox(): Outbox {
  return { sendNow: [], reads: [], fetches: [], snapshotReads: [], snapshotWrite: null, changes: [] }
}
