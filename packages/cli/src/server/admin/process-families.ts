import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import type { Family } from './prometheus.ts'

const NS_PER_SECOND = 1e9
const LOOP_RESOLUTION_MS = 10
const QUANTILES = [0.5, 0.99, 0.999]

/** What the process itself measures, under the names that every Prometheus client library uses. */
export class ProcessMeter {
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })

  constructor() {
    this.#loop.enable()
  }

  families(): Family[] {
    const { rss, heapUsed } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const gauge = (name: string, help: string, value: number): Family => ({
      ...{ name, help, type: 'gauge' },
      samples: [{ labels: {}, value }],
    })
    return [
      {
        ...{ name: 'process_cpu_seconds_total', help: 'User and system CPU time.', type: 'counter' },
        samples: [{ labels: {}, value: (user + system) / 1e6 }],
      },
      gauge('process_resident_memory_bytes', 'Resident memory.', rss),
      gauge('process_start_time_seconds', 'Since 1970.', Math.round(performance.timeOrigin) / 1000),
      gauge('nodejs_heap_size_used_bytes', 'Of the JavaScript heap.', heapUsed),
      {
        name: 'nodejs_eventloop_lag_seconds',
        help: 'How late timers were since the start.',
        type: 'gauge',
        samples: QUANTILES.map((quantile) => ({
          labels: { quantile: String(quantile) },
          value: this.#loop.percentile(quantile * 100) / NS_PER_SECOND,
        })),
      },
    ]
  }

  close(): void {
    this.#loop.disable()
  }
}
