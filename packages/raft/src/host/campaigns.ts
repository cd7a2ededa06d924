import type { Clock, Milliseconds, Random, Timer } from '@lab/rpc'

/** Campaigns under way at one moment: where all is well, */
const AT_ONCE_MAX = 64
/** and where hardly any comes to an end in time. */
const AT_ONCE_MIN = 4

/**
 * Lets groups campaign a few at a time. A thousand that campaign together answer each other later than an election timeout, begin
 * anew, and never elect anybody; a few are done before the next begin. How few are few enough depends on how much of a processor the
 * processes get, so it is found as TCP finds its window: half as many after a campaign that was not over in time, one more after as
 * many that were. Who comes next is drawn from the front of the line: processes that all went by the same order would campaign for the
 * same groups at the same moment, and split their votes.
 */
export class Campaigns {
  readonly #clock: Clock
  readonly #random: Random
  readonly #lastMs: Milliseconds
  readonly #waiting = new Map<number, () => void>()
  /** The groups that wait, in the order in which their time came. */
  readonly #line: number[] = []
  /** By group, with the time at which it is over, decided or not. */
  readonly #underWay = new Map<number, Timer>()
  #atOnce = AT_ONCE_MAX
  /** Campaigns that began together fail together: they count as one. */
  #halvedAt: Milliseconds = -Infinity

  /** @param lastMs no campaign lasts longer: the longest election timeout */
  constructor(clock: Clock, random: Random, lastMs: Milliseconds) {
    this.#clock = clock
    this.#random = random
    this.#lastMs = lastMs
  }

  /** The group's time to campaign has come. Calls `act` now or later; a group waits once, with what it said last. */
  enter(group: number, act: () => void): void {
    if (this.#end(group)) this.#halve()
    if (!this.#waiting.has(group)) this.#line.push(group)
    this.#waiting.set(group, act)
    this.#next()
  }

  /** The group's server leads now or follows, whether or not it knows whom: what it campaigned for is decided. */
  decided(group: number, hasLeader: boolean): void {
    if (hasLeader && this.#waiting.delete(group)) this.#line.splice(this.#line.indexOf(group), 1)
    if (!this.#end(group)) return
    if (hasLeader) this.#atOnce = Math.min(this.#atOnce + 1 / this.#atOnce, AT_ONCE_MAX)
    this.#next()
  }

  stop(): void {
    for (const timer of this.#underWay.values()) timer.cancel()
    this.#underWay.clear()
    this.#waiting.clear()
    this.#line.length = 0
  }

  #halve(): void {
    const now = this.#clock.now()
    if (now < this.#halvedAt + this.#lastMs) return
    this.#halvedAt = now
    this.#atOnce = Math.max(this.#atOnce / 2, AT_ONCE_MIN)
  }

  /** @returns whether one was under way */
  #end(group: number): boolean {
    this.#underWay.get(group)?.cancel()
    return this.#underWay.delete(group)
  }

  #next(): void {
    while (this.#underWay.size < Math.floor(this.#atOnce) && this.#line.length > 0) {
      const group = this.#draw()
      const act = this.#waiting.get(group)
      this.#waiting.delete(group)
      const timer = this.#clock.setTimer(this.#lastMs, () => {
        this.#underWay.delete(group)
        this.#halve()
        this.#next()
      })
      this.#underWay.set(group, timer)
      act?.()
    }
  }

  #draw(): number {
    const last = Math.min(this.#line.length, AT_ONCE_MAX) - 1
    const place = last === 0 ? 0 : this.#random.integer(0, last)
    const [drawn] = this.#line.splice(place, 1)
    return drawn as number
  }
}
