/** How far a job is, in one line: rewritten on a terminal, a line now and then anywhere else. */
import type { JobStatus } from '@lab/mapreduce'

const PLAIN_EVERY_MS = 2_000
const MB = 1e6

/** What a line is written to: standard error. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export class ProgressLine {
  readonly #output: ProgressOutput
  #lastAt = -Infinity
  #last = ''

  constructor(output: ProgressOutput) {
    this.#output = output
  }

  show(status: JobStatus): void {
    const line = progressText(status)
    if (this.#output.isTTY === true) {
      this.#output.write(`\r\u001b[2K${line.slice(0, (this.#output.columns ?? 80) - 1)}`)
      this.#last = line
      return
    }
    if (line === this.#last || status.elapsedMs - this.#lastAt < PLAIN_EVERY_MS) return
    this.#last = line
    this.#lastAt = status.elapsedMs
    this.#output.write(`${line}\n`)
  }

  /** Takes the line away, for what comes after it. */
  end(): void {
    if (this.#output.isTTY === true && this.#last !== '') this.#output.write('\r\u001b[2K')
  }
}

/** `map 5/8 · reduce 0/4 · 42 % · 12.3 MB/s · 2 workers · 4 s left`. */
export function progressText({ map, reduce, fraction, inputBytes, elapsedMs, workers }: JobStatus): string {
  const seconds = Math.max(elapsedMs, 1) / 1000
  const parts = [
    `map ${String(map.completed)}/${String(map.tasks)}`,
    `reduce ${String(reduce.completed)}/${String(reduce.tasks)}`,
    `${String(Math.floor(fraction * 100))} %`,
    `${(inputBytes.read / MB / seconds).toFixed(1)} MB/s`,
    workers.length === 0
      ? 'waiting for workers'
      : `${String(workers.length)} ${workers.length === 1 ? 'worker' : 'workers'}`,
  ]
  if (fraction > 0.02 && fraction < 1) parts.push(`${duration((seconds * (1 - fraction)) / fraction)} left`)
  return parts.join(' · ')
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${String(Math.ceil(seconds))} s`
  return seconds < 5400 ? `${String(Math.round(seconds / 60))} min` : `${(seconds / 3600).toFixed(1)} h`
}
