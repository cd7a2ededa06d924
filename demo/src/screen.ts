/** The view on a terminal: events scroll by above, below them a row for each machine and group, the shards and the throughput are drawn anew. */
import { bytes, clockTime, grouped, millis, sparkline } from './format.ts'
import { CONTROLLER, type GroupView } from './observer.ts'
import type { MachinePicture, Picture, View } from './picture.ts'
import { letterOf, shardMap } from './shard-view.ts'

const ESCAPE = '\u001b['
const CLEAR_LINE = `${ESCAPE}2K`
const SPARK_WIDTH = 60

const COLORS: Readonly<Record<string, number>> = { starting: 33, dead: 31 }
/** Of groups, in their order. */
const GROUP_COLORS = [36, 35, 32, 34]

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
  const gids = picture.groups.map(({ gid }) => gid).filter((gid) => gid !== CONTROLLER)
  const paint = (line: string, code: number | undefined): string => {
    const cut = line.slice(0, columns - 1)
    return color && code !== undefined ? `${ESCAPE}${code}m${cut}${ESCAPE}39m` : cut
  }
  const colorOf = (gid: number): number | undefined => GROUP_COLORS[gids.indexOf(gid) % GROUP_COLORS.length]
  const spark = sparkline(picture.throughput.slice(-Math.min(SPARK_WIDTH, columns - 20)))
  const progress = `${clockTime(picture.elapsed)}  ${grouped(picture.done)} operations · ${share(picture)} · p50 ${millis(picture.p50)} · p99 ${millis(picture.p99)}`
  return [
    '',
    ...picture.machines.map((machine) => paint(machineLine(machine), COLORS[machine.state])),
    ...picture.groups.map((group) => paint(groupLine(group, picture, gids), colorOf(group.gid))),
    ...mapLines(shardMap(picture.shards, gids), columns).map((line) =>
      color
        ? line.replace(/(\p{L})\1*/giu, (run) => paint(run, colorOf(gids[indexOfLetter(run)] ?? 0)))
        : line,
    ),
    `  ${spark} ${grouped(picture.rate)}/s`,
    `  ${progress}`.slice(0, columns - 1),
  ]
}

/** As many lines as it takes. */
function mapLines(map: string, columns: number): string[] {
  const room = Math.max(columns - 3, 1)
  return Array.from(
    { length: Math.ceil(map.length / room) },
    (_, at) => `  ${map.slice(at * room, (at + 1) * room)}`,
  )
}

function indexOfLetter(run: string): number {
  return run.toUpperCase().charCodeAt(0) - 'A'.charCodeAt(0)
}

function share({ done, planned }: Picture): string {
  return done <= planned
    ? `${Math.floor((100 * done) / planned)} % of the text`
    : `the text ${(done / planned).toFixed(1)} times`
}

function machineLine({ id, state, leads, diskBytes }: MachinePicture): string {
  const leading = leads.map((gid) => (gid === CONTROLLER ? 'controller' : String(gid))).join(' ')
  const cells = [id.padEnd(4), state.padEnd(8), `disk ${bytes(diskBytes)}`.padEnd(13)]
  return `  ${cells.join('  ')}${leading === '' ? '' : `  leads ${leading}`}`
}

function groupLine(
  { gid, leader, term, keys, bytes: held }: GroupView,
  { shards }: Picture,
  gids: readonly number[],
): string {
  const led = leader === null ? 'no leader' : `${leader} leads, term ${term}`
  if (gid === CONTROLLER) return `  controller  ${led}`
  const served = shards.filter((view) => view.gid === gid && !view.isMoving).length
  const name = `${letterOf(gid, gids)} group ${gid}`
  return `  ${name.padEnd(10)}  ${led.padEnd(17)}  ${`${served} shards`.padEnd(9)}  ${`${grouped(keys)} keys`.padEnd(10)}  ${bytes(held)}`
}
