import type { Change } from '../core/ready.ts'
import type { NodeId } from '../types.ts'
import { makeCounters, type Counters } from './counters.ts'
import { Histogram } from './histogram.ts'
import { RequestMeter, type RequestKinds } from './request-meter.ts'

/** What one server counts and times of its own work. Two additions for each thing that happens. */
export class Meter {
  readonly counters: Counters = makeCounters()
  /** How long writes took to become durable. */
  readonly syncMs = new Histogram()
  /** How long own snapshots took, from the first byte to durable. */
  readonly snapshotMs = new Histogram()
  readonly requests: RequestMeter
  #leader: NodeId | null = null

  constructor(kinds?: RequestKinds) {
    this.requests = new RequestMeter(kinds)
  }

  persisted(bytes: number, ms: number): void {
    this.counters.syncs++
    this.counters.syncedBytes += bytes
    this.syncMs.observe(ms)
  }

  roleChanged({ role, leader }: Extract<Change, { type: 'role' }>): void {
    if (role === 'candidate') this.counters.campaigns++
    if (role === 'leader') this.counters.elections++
    if (leader === null || leader === this.#leader) return
    this.#leader = leader
    this.counters.leaderChanges++
  }

  tookSnapshot(bytes: number, ms: number): void {
    this.counters.snapshotsTaken++
    this.counters.snapshotBytes += bytes
    this.snapshotMs.observe(ms)
  }

  stalled(lateMs: number): void {
    this.counters.stalls++
    this.counters.stallMs += lateMs
  }
}
