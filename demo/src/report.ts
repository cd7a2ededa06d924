/** The last lines. */
import { bytes, grouped, millis } from './format.ts'
import type { Meter } from './meter.ts'
import { isClean, type Verdict } from './verify.ts'

export interface Outcome {
  readonly verdict: Verdict
  readonly meter: Meter
  /** Milliseconds that the load took. */
  readonly loadMs: number
  /** On all disks together. */
  readonly diskBytes: number
  readonly traceCommand: string
}

/** Of what went wrong; the rest is counted. */
const SHOWN_MAX = 10

export function reportLines({ verdict, meter, loadMs, diskBytes, traceCommand }: Outcome): string[] {
  const { done } = meter
  return [
    ...trouble(verdict),
    `${grouped(done)} operations in ${(loadMs / 1000).toFixed(1)} s: ${grouped((done * 1000) / loadMs)}/s, p50 ${millis(meter.percentile(0.5))}, p99 ${millis(meter.percentile(0.99))}`,
    `${grouped(verdict.pages)} keys read back, ${bytes(verdict.bytes)}: ${isClean(verdict) ? 'equal to the text, byte by byte' : 'NOT what was written'}; ${bytes(diskBytes)} on disk`,
    `lost: ${verdict.lost} · duplicated: ${verdict.duplicated}`,
    `see it again: ${traceCommand}`,
  ]
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
