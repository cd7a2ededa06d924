/** The last lines. */
import { bytes, grouped, millis } from './format.ts'
import type { Meter } from './meter.ts'
import type { Questions } from './questions.ts'
import { isClean, type Verdict } from './verify.ts'

export interface Outcome {
  readonly verdict: Verdict
  readonly meter: Meter
  /** Milliseconds that the load took. */
  readonly loadMs: number
  readonly questions: Pick<Questions, 'asked' | 'wrong' | 'longest'>
  /** On all disks together. */
  readonly diskBytes: number
  readonly traceCommand: string
}

/** Of what went wrong; the rest is counted. */
const SHOWN_MAX = 10

export function reportLines({
  verdict,
  meter,
  loadMs,
  questions,
  diskBytes,
  traceCommand,
}: Outcome): string[] {
  const { done } = meter
  return [
    ...trouble(verdict),
    `${grouped(done)} operations in ${(loadMs / 1000).toFixed(1)} s: ${grouped((done * 1000) / loadMs)}/s, p50 ${millis(meter.percentile(0.5))}, p99 ${millis(meter.percentile(0.99))}`,
    questionsLine(questions),
    `${grouped(verdict.pages)} keys read back, ${bytes(verdict.bytes)}: ${isClean(verdict) ? 'equal to what was written, byte by byte' : 'NOT what was written'}; ${bytes(diskBytes)} on disk`,
    `lost: ${verdict.lost} · duplicated: ${verdict.duplicated}`,
    `see it again: ${traceCommand}`,
  ]
}

function questionsLine({ asked, wrong, longest }: Pick<Questions, 'asked' | 'wrong' | 'longest'>): string {
  return `${grouped(asked)} questions to the index answered meanwhile, ${wrong === 0 ? 'all' : `${grouped(asked - wrong)} of them`} right; the slowest took ${millis(longest)}`
}

function trouble({ differences, failures }: Verdict): string[] {
  const lines = [
    ...failures.map(({ key, reason }) => `FAILED ${key}: ${reason}`),
    ...differences.map(
      ({ key, lost, duplicated, foreignBytes, at, wanted, found }) =>
        `DIFFERS ${key} at byte ${at}: ${lost} lost, ${duplicated} duplicated, ${foreignBytes} foreign bytes; wanted ${wanted}, found ${found}`,
    ),
  ]
  const more = lines.length - SHOWN_MAX
  return more > 0 ? [...lines.slice(0, SHOWN_MAX), `… and ${more} more`] : lines
}
