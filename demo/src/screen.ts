/** The view on a terminal: events scroll by above, below them a row for each server and the throughput are drawn anew. */
import { bytes, clockTime, grouped, millis, sparkline } from './format.ts'
import type { NodePicture, Picture, View } from './picture.ts'

const ESCAPE = '\u001b['
const CLEAR_LINE = `${ESCAPE}2K`
const SPARK_WIDTH = 60

const COLORS: Readonly<Record<string, number>> = { leader: 32, candidate: 33, starting: 33, dead: 31 }

export interface Terminal {
  write(text: string): void
  /** Characters in a line, as it is now. */
  readonly width: () => number
  readonly color: boolean
}

/** Draws below the cursor and puts the cursor back above what it drew, so that the next line printed pushes it down. */
export class Screen implements View {
  readonly #terminal: Terminal
  #picture: Picture | null = null
  /** Lines drawn below the cursor. */
  #drawn = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  say(elapsed: number, line: string): void {
    this.#erase()
    this.#terminal.write(`${clockTime(elapsed)} ${line}\n`)
    this.#draw()
  }

  show(picture: Picture): void {
    this.#erase()
    this.#picture = picture
    this.#draw()
  }

  close(): void {
    this.#erase()
    this.#picture = null
  }

  #erase(): void {
    if (this.#drawn === 0) return
    this.#terminal.write(
      `${ESCAPE}${this.#drawn}A${`${CLEAR_LINE}\n`.repeat(this.#drawn)}${ESCAPE}${this.#drawn}A`,
    )
    this.#drawn = 0
  }

  #draw(): void {
    if (this.#picture === null) return
    // A line that the terminal would break in two could not be erased again.
    const lines = pictureLines(this.#picture, this.#terminal)
    this.#terminal.write(`${lines.join('\n')}\n`)
    this.#drawn = lines.length
  }
}

function pictureLines(picture: Picture, { width, color }: Terminal): string[] {
  const columns = width()
  const spark = sparkline(picture.throughput.slice(-Math.min(SPARK_WIDTH, columns - 20)))
  const progress = `${clockTime(picture.elapsed)}  ${grouped(picture.done)} operations · ${share(picture)} · p50 ${millis(picture.p50)} · p99 ${millis(picture.p99)}`
  return [
    '',
    ...picture.nodes.map((node) => nodeLine(node, columns, color)),
    `  ${spark} ${grouped(picture.rate)}/s`,
    `  ${progress}`.slice(0, columns - 1),
  ]
}

function share({ done, planned }: Picture): string {
  return done <= planned
    ? `${Math.floor((100 * done) / planned)} % of the text`
    : `the text ${(done / planned).toFixed(1)} times`
}

function nodeLine(
  { id, state, term, commit, diskBytes }: NodePicture,
  columns: number,
  color: boolean,
): string {
  const cells = [
    id.padEnd(4),
    state.padEnd(10),
    `term ${term}`.padEnd(9),
    `commit ${grouped(commit)}`.padEnd(16),
    `disk ${bytes(diskBytes)}`,
  ]
  const line = `  ${cells.join('  ')}`.slice(0, columns - 1)
  const code = COLORS[state]
  return color && code !== undefined ? `${ESCAPE}${code}m${line}${ESCAPE}39m` : line
}
