/** The view for logs and pipes: lines with a time, nothing that moves. */
import { clockTime, grouped, millis } from './format.ts'
import type { Picture, View } from './picture.ts'

const EVERY_MS = 5000

export class PlainLines implements View {
  readonly #print: (line: string) => void
  #nextAt = EVERY_MS

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  say(elapsed: number, line: string): void {
    this.#print(`${clockTime(elapsed)} ${line}`)
  }

  show({ elapsed, done, rate, p50, p99 }: Picture): void {
    if (elapsed < this.#nextAt) return
    this.#nextAt += EVERY_MS
    this.say(
      elapsed,
      `${grouped(done)} operations, ${grouped(rate)}/s, p50 ${millis(p50)}, p99 ${millis(p99)}`,
    )
  }

  close(): void {}
}
