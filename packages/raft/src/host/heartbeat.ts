/** Beats, in time: one to every other process each heartbeat interval, and silence noticed when it begins. */
import type { Clock, Milliseconds } from '@lab/rpc'
import type { Timing } from '../core/ready.ts'
import { DeadlineTimer } from '../driver/deadline-timer.ts'
import type { NodeId } from '../types.ts'
import type { Beats } from './beats.ts'

export interface HeartbeatOptions {
  readonly beats: Beats
  readonly clock: Clock
  readonly timing: Timing
  /** Whom to beat to. */
  readonly peers: () => readonly NodeId[]
  readonly send: (peer: NodeId, beat: Uint8Array) => void
}

export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #timer: DeadlineTimer
  #nextBeatAt: Milliseconds
  #stopped = false

  constructor(options: HeartbeatOptions) {
    const { beats, clock, timing } = options
    this.#options = options
    this.#nextBeatAt = clock.now()
    // After a stall the beats of that time lie in the sockets, if they could be sent: nobody is believed silent for it.
    this.#timer = new DeadlineTimer({
      clock,
      stallMs: timing.heartbeatMs / 2,
      onDue: () => this.#due(),
      onStall: () => beats.wereDeaf(clock.now()),
    })
  }

  start(): void {
    this.#due()
  }

  stop(): void {
    this.#stopped = true
    this.#timer.cancel()
  }

  heard(peer: NodeId, beat: Uint8Array): void {
    if (!this.#stopped) this.#options.beats.heard(peer, beat, this.#options.clock.now())
  }

  #due(): void {
    if (this.#stopped) return
    const { beats, clock, timing, peers, send } = this.#options
    const now = clock.now()
    if (now >= this.#nextBeatAt) {
      // Not more than one after a stall.
      this.#nextBeatAt = Math.max(this.#nextBeatAt + timing.heartbeatMs, now + timing.heartbeatMs / 2)
      for (const peer of peers()) send(peer, beats.beatFor(peer))
    }
    beats.silence(now)
    this.#timer.set(Math.min(this.#nextBeatAt, beats.silenceAt))
  }
}
