/**
 * How far an attempt is, in memory that another thread can read while this one is busy or hangs.
 */
const RECORDS = 0
const FRACTION = 1
const OFFSET = 2
const SPLIT = 3
const ATTEMPT = 4
const LENGTH = 5

export class Progress {
  static readonly BYTES = LENGTH * 8
  readonly #cells: Float64Array

  constructor(memory: SharedArrayBuffer | ArrayBuffer = new ArrayBuffer(Progress.BYTES)) {
    this.#cells = new Float64Array(memory)
  }

  /** Begins an attempt. @param attempt its number, where several are made one after another */
  reset(attempt = 0): void {
    this.#cells.fill(0)
    this.#cells[OFFSET] = -1
    this.#cells[ATTEMPT] = attempt
  }

  /** The attempt is over: what comes next is nobody's. */
  end(): void {
    this.#cells[ATTEMPT] = 0
  }

  /** The number of the attempt that is being made; 0 between attempts. */
  get attempt(): number {
    return this.#cells[ATTEMPT] ?? 0
  }

  /** The record, or in a reduce the key, that comes next. */
  enter(split: number, offset: number): void {
    this.#cells[SPLIT] = split
    this.#cells[OFFSET] = offset
    this.#cells[RECORDS] = this.records + 1
  }

  set fraction(fraction: number) {
    this.#cells[FRACTION] = fraction
  }

  /** 0 to 1. */
  get fraction(): number {
    return this.#cells[FRACTION] ?? 0
  }

  /** Records, or keys, that were begun. */
  get records(): number {
    return this.#cells[RECORDS] ?? 0
  }

  /** Of the record that was begun last; -1 before the first. */
  get offset(): number {
    return this.#cells[OFFSET] ?? -1
  }

  /** Index in the task's list of splits. */
  get split(): number {
    return this.#cells[SPLIT] ?? 0
  }
}
