/** Which part of the story is seen, and where it falls on the canvas. */
export class Viewport {
  readonly #start: number
  readonly #end: number
  /** µs at the left and the right edge. */
  from: number
  to: number
  width = 1
  height = 1
  lanes = 1

  constructor(start: number, end: number) {
    const margin = (end - start) * 0.02
    this.#start = start - margin
    this.#end = end + margin
    this.from = this.#start
    this.to = this.#end
  }

  x(time: number): number {
    return LEFT + ((time - this.from) / (this.to - this.from)) * (this.width - LEFT)
  }

  timeAt(x: number): number {
    return this.from + ((x - LEFT) / (this.width - LEFT)) * (this.to - this.from)
  }

  /** The middle of a lane. */
  y(lane: number): number {
    return TOP + ((lane + 0.5) * (this.height - TOP)) / this.lanes
  }

  /** `factor` below 1 comes closer; the time at `x` stays where it is. */
  zoom(factor: number, x: number): void {
    const time = this.timeAt(x)
    this.#set(time - (time - this.from) * factor, time + (this.to - time) * factor)
  }

  pan(pixels: number): void {
    const time = (pixels / (this.width - LEFT)) * (this.to - this.from)
    this.#set(this.from + time, this.to + time)
  }

  fit(): void {
    this.#set(this.#start, this.#end)
  }

  /** Brings `time` into the middle unless it is well in view. */
  show(time: number): void {
    const span = this.to - this.from
    if (time > this.from + span * 0.1 && time < this.to - span * 0.1) return
    this.#set(time - span / 2, time + span / 2)
  }

  #set(from: number, to: number): void {
    const all = this.#end - this.#start
    const span = Math.min(Math.max(to - from, 20), all)
    this.from = Math.min(Math.max(from, this.#start), this.#end - span)
    this.to = this.from + span
  }
}

/** Pixels for the names of lanes, and for the scale of time. */
export const LEFT = 64
export const TOP = 28
