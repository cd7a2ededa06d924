/** `lab sim run --hours`: seeds without end, in a process for each core, until enough virtual time has passed. */
import { availableParallelism } from 'node:os'
import type { RunFlags } from '../commands/sim.ts'
import type { Io } from '../io.ts'
import { formatRow } from '../output.ts'
import { sentence, throwIfFailed, type Summary } from './run-seeds.ts'
import { SeedWorker } from './seed-worker.ts'

/** Seeds asked for at once: few, so that the end is not far and nobody waits for the last. */
const SEEDS = 10
/** How much virtual time passes between two lines about how far it is. */
const LINE_SECONDS = 1200

type Sum = { -readonly [Field in keyof Summary]: Summary[Field] }

/** @throws {CliError} `FAILED` when a seed failed */
export async function campaign(flags: RunFlags, io: Io): Promise<void> {
  const { hours = 1, workers = availableParallelism(), scenario, from, output } = flags
  const started = performance.now()
  const sum: Sum = {
    ...{ scenario, from, seeds: 0, failed: 0, failedSeeds: [], undecided: 0, faults: 0, operations: 0 },
    ...{ simulatedSeconds: 0, seconds: 0 },
  }
  let next = from
  let told = 0
  const work = async (): Promise<void> => {
    const worker = new SeedWorker(flags, io)
    try {
      while (sum.simulatedSeconds < hours * 3600 && !io.signal.aborted) {
        const first = next
        next += SEEDS
        add(sum, await worker.run(first, SEEDS))
        if (sum.simulatedSeconds < told + LINE_SECONDS) continue
        told = sum.simulatedSeconds
        io.talk(`${(told / 3600).toFixed(1)} of ${String(hours)} hours, ${String(sum.failed)} failed`)
      }
    } finally {
      worker.end()
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  sum.seconds = Math.round((performance.now() - started) / 100) / 10
  await io.out(formatRow(sum, output, sentence(sum)))
  throwIfFailed(sum.failed)
}

function add(sum: Sum, part: Summary | null): void {
  if (part === null) return
  for (const field of ['seeds', 'failed', 'undecided', 'faults', 'operations', 'simulatedSeconds'] as const)
    sum[field] += part[field]
  sum.failedSeeds = [...sum.failedSeeds, ...part.failedSeeds].slice(0, 20)
}
