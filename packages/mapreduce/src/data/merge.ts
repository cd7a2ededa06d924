/** Many sorted runs as one: a tournament, in which the loser of each game waits for the next winner from its side. */
import { compareBytes } from './compare.ts'
import type { PairView } from './pairs.ts'
import type { SortedRun } from './segment-reader.ts'

/**
 * The pairs of all runs, by key. Equal keys come in the order of the runs, and of each run's own: the values of a key are
 * the same, in the same order, whatever was merged before.
 */
export class MergedRuns implements SortedRun {
  readonly #runs: (SortedRun | null)[]
  /** The first four bytes of each run's present key: most games need no more. */
  readonly #heads: Float64Array
  /** [0] the winner; [n] the loser of game n, whose players are the winners of 2n and 2n + 1. Leaf i is `count + i`. */
  readonly #games: Int32Array
  #started = false

  constructor(runs: readonly SortedRun[]) {
    this.#runs = [...runs]
    this.#heads = new Float64Array(Math.max(1, runs.length))
    this.#games = new Int32Array(Math.max(1, runs.length))
  }

  get bytes(): Uint8Array {
    return this.#winner().bytes
  }

  get pair(): PairView {
    return this.#winner().pair
  }

  next(): boolean {
    if (this.#runs.length === 0) return false
    if (!this.#started) {
      this.#started = true
      for (let run = 0; run < this.#runs.length; run++) this.#advance(run)
      this.#games[0] = this.#runs.length === 1 ? 0 : this.#play(1)
    } else {
      const winner = this.#games[0] as number
      if (this.#runs[winner] === null) return false
      this.#advance(winner)
      this.#replay(winner)
    }
    return this.#runs[this.#games[0] as number] !== null
  }

  #winner(): SortedRun {
    return this.#runs[this.#games[0] as number] as SortedRun
  }

  #advance(run: number): void {
    const source = this.#runs[run] as SortedRun
    if (source.next()) {
      this.#heads[run] = headOf(source)
      return
    }
    this.#runs[run] = null
    this.#heads[run] = Infinity
  }

  /** Plays the games below `game` and gives the winner. */
  #play(game: number): number {
    const count = this.#runs.length
    if (game >= count) return game - count
    const [left, right] = [this.#play(2 * game), this.#play(2 * game + 1)]
    const leftWins = this.#before(left, right)
    this.#games[game] = leftWins ? right : left
    return leftWins ? left : right
  }

  #replay(run: number): void {
    const games = this.#games
    let winner = run
    for (let game = (run + games.length) >> 1; game > 0; game >>= 1) {
      const loser = games[game] as number
      if (!this.#before(loser, winner)) continue
      games[game] = winner
      winner = loser
    }
    games[0] = winner
  }

  #before(a: number, b: number): boolean {
    const difference = (this.#heads[a] as number) - (this.#heads[b] as number)
    if (difference !== 0 && !Number.isNaN(difference)) return difference < 0
    const [left, right] = [this.#runs[a], this.#runs[b]]
    // Runs at their end are behind all others, and it does not matter which of them is last.
    if (left == null || right == null) return left != null
    const order = compareBytes(
      left.bytes,
      left.pair.keyStart,
      left.pair.keyEnd,
      right.bytes,
      right.pair.keyStart,
      right.pair.keyEnd,
    )
    return order === 0 ? a < b : order < 0
  }
}

function headOf({ bytes, pair: { keyStart, keyEnd } }: SortedRun): number {
  let head = 0
  for (let i = keyStart; i < keyStart + 4; i++) head = head * 256 + (i < keyEnd ? (bytes[i] as number) : 0)
  return head
}
