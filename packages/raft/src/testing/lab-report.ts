/** What is told about runs of the labs' tests: the labs' own line, and the trace of a run as a file holds it. */
import { TRACE_VERSION, type TraceEvent, type TraceHeader } from '@lab/rpc'
import type { LabResult, LabTest } from './lab-interface.ts'

/** The labs' own kind of line, in columns: medians over the seeds. */
export function labLine(results: readonly LabResult[]): string {
  const column = (value: (result: LabResult) => number, width: number, unit: string, digits = 0): string =>
    `${median(results.map(value)).toFixed(digits).padStart(width)} ${unit}`
  return [
    `Passed ${(results[0]?.title ?? '').padEnd(30)}`,
    column((result) => result.seconds, 5, 's', 1),
    column((result) => result.peers, 2, 'peers'),
    column((result) => result.rpcs, 6, 'rpcs'),
    column((result) => result.bytes, 9, 'B'),
    column((result) => result.done, 5, results[0]?.unit ?? ''),
  ].join('  ')
}

/** Runs the seed once more with its trace: runs repeat exactly, so nobody pays for one before it is wanted. Never throws. */
export async function labTrace(
  test: LabTest,
  seed: number,
): Promise<{ readonly events: readonly TraceEvent[]; readonly text: string }> {
  const nodes = Array.from({ length: test.peers }, (_, server) => `n${String(server + 1)}`)
  const header: TraceHeader = { v: TRACE_VERSION, what: test.title, start: 0, seed, nodes }
  const events: TraceEvent[] = []
  const trace = (event: TraceEvent): void => {
    events.push(event)
  }
  await test.run(seed, { trace }).catch(() => undefined)
  const lines = [header, ...events].map((line) => `${JSON.stringify(line)}\n`)
  return { events, text: lines.join('') }
}

/** How the file of that trace is called: `Figure8-2C-17.jsonl`. */
export function labTraceName({ title }: LabTest, seed: number): string {
  return `${title.replaceAll(/[ ()]+/g, '-')}${String(seed)}.jsonl`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
