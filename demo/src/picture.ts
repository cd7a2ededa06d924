/** What is to be seen at one moment. The same for terminal and plain lines. */

export interface Picture {
  /** Milliseconds since the load began. */
  readonly elapsed: number
  readonly nodes: readonly NodePicture[]
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

export interface NodePicture {
  readonly id: string
  /** `leader`, `follower`, `candidate`; `dead` after a kill; `starting` until it has spoken. */
  readonly state: string
  readonly term: number
  readonly commit: number
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
