/** What is to be seen at one moment. The same for terminal and plain lines. */
import type { GroupView } from './observer.ts'
import type { ShardView } from './shard-view.ts'

export interface Picture {
  /** Milliseconds since the load began. */
  readonly elapsed: number
  readonly machines: readonly MachinePicture[]
  /** The controller first. */
  readonly groups: readonly GroupView[]
  readonly shards: readonly ShardView[]
  readonly done: number
  /** Operations of one load of all texts. */
  readonly planned: number
  /** Per second, the last second. */
  readonly rate: number
  /** Per second, one number for each half second, the latest at the end. */
  readonly throughput: readonly number[]
  /** Milliseconds, of the latest operations. */
  readonly p50: number
  readonly p99: number
}

export interface MachinePicture {
  readonly id: string
  /** `dead` after a kill; `starting` until it has spoken. */
  readonly state: 'up' | 'dead' | 'starting'
  /** Groups that it leads. */
  readonly leads: readonly number[]
  readonly diskBytes: number
}

/** Where the play is shown. */
export interface View {
  /** Something happened. */
  say(elapsed: number, line: string): void
  /** Called several times a second. */
  show(picture: Picture): void
  /** No more pictures: what is printed now stays. */
  close(): void
}
