import { percentile } from '../statistics.ts'

/** Shorter turns are of no interest. */
const SHORT_MS = 1

/**
 * Watches how long each turn of this event loop takes, by the clock and by the processor. On a machine with other work the clock tells of
 * that, too; the processor's time is of all threads of this process, such as those that write files and collect memory beside it.
 */
export class LongTurns {
  #last = performance.now()
  #cpu = process.cpuUsage()
  #immediate: NodeJS.Immediate
  readonly #ms: number[] = []
  readonly #cpuMs: number[] = []

  constructor() {
    this.#immediate = setImmediate(this.#look)
  }

  end(): Readonly<Record<string, number>> {
    clearImmediate(this.#immediate)
    const [ms, cpuMs] = [this.#ms, this.#cpuMs]
    return {
      [`turns ≥ ${String(SHORT_MS)} ms`]: ms.length,
      'median ms': percentile(ms, 0.5),
      'p99 ms': percentile(ms, 0.99),
      'max ms': percentile(ms, 1),
      'median CPU ms': percentile(cpuMs, 0.5),
      'p99 CPU ms': percentile(cpuMs, 0.99),
      'max CPU ms': percentile(cpuMs, 1),
    }
  }

  readonly #look = (): void => {
    const ms = performance.now() - this.#last
    if (ms >= SHORT_MS) {
      const { user, system } = process.cpuUsage(this.#cpu)
      this.#ms.push(ms)
      this.#cpuMs.push((user + system) / 1000)
    }
    this.#cpu = process.cpuUsage()
    this.#last = performance.now()
    this.#immediate = setImmediate(this.#look)
  }
}
