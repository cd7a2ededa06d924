/** What the manifest says: only of attempts that were committed. */
import type { State, Winner } from '../core/state.ts'
import type { AttemptId, AttemptResult, Counters, FileSummary } from '../core/task.ts'
import { partName, type Manifest } from '../manifest.ts'
import type { CoordinatorOptions } from './coordinator.ts'

/** Each task's one committed attempt, with the files that it left. */
export function winnersOf(
  state: Pick<State, 'maps' | 'reduces'>,
): (AttemptId & { readonly files: readonly FileSummary[] })[] {
  return committed(state).map(({ result, ...attempt }) => ({ ...attempt, files: result.files }))
}

export function manifestOf(
  { job, isSorted }: CoordinatorOptions,
  state: Pick<State, 'maps' | 'reduces'>,
): Manifest {
  const winners = committed(state)
  const files = winners.flatMap(({ result }) => result.files)
  const parts = state.reduces.map((_, partition) => partName(partition))
  const byName = new Map(files.map((file) => [file.name, file]))
  return {
    version: 1,
    job: job.name,
    build: job.build,
    parameters: job.parameters,
    parts: parts.flatMap((name) => byName.get(name) ?? []),
    sideFiles: files.filter(({ name }) => !parts.includes(name)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    isSorted,
    counters: sumCounters(winners.map(({ result }) => result)),
    skipped: winners.flatMap(({ result }) => result.skipped),
  }
}

/** The user's counters and the engine's own, in the order of names (MapReduce §4.9). */
export function sumCounters(results: readonly AttemptResult[]): Counters {
  const sums = new Map<string, number>()
  for (const { counters } of results)
    for (const [name, value] of Object.entries(counters)) sums.set(name, (sums.get(name) ?? 0) + value)
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function committed({ maps, reduces }: Pick<State, 'maps' | 'reduces'>): Winner[] {
  return [...maps, ...reduces].flatMap(({ winner, lost }) => winner ?? lost ?? [])
}
