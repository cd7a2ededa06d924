/** `lab mr run` and `lab mr coordinator`: a job, with workers of its own or of other machines. */
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hostJob, run, type HostedJob, type JobReport, type Manifest } from '@lab/mapreduce'
import type { Io } from '../io.ts'
import { flagsForTypes, loadTypes } from '../module-flags.ts'
import { formatRow, type Format } from '../output.ts'
import { usage } from '../parse.ts'
import { openTraceFile, type TraceFile } from '../trace-file.ts'
import { jobOptions, type JobFlags } from './flags.ts'
import type { StatusPage } from './page/server.ts'
import { ProgressLine } from './progress.ts'

export interface RunFlags extends JobFlags {
  readonly workers?: number
  readonly mode?: 'local' | 'threads' | 'cluster'
  readonly transport?: 'tcp' | 'websocket'
  readonly heap?: number
  readonly force?: boolean
  readonly trace?: string
  /** True for any port. */
  readonly page?: number | true
  readonly output: Format
}

export interface CoordinatorFlags extends JobFlags {
  readonly listen?: string
  readonly insecure?: boolean
  readonly force?: boolean
  readonly trace?: string
  /** True for any port. */
  readonly page?: number | true
  readonly output: Format
}

const PROGRESS_MS = 200

export async function runJob(module: string, flags: RunFlags, io: Io): Promise<void> {
  const file = prepare(module, flags, io)
  const line = new ProgressLine(process.stderr)
  const trace = traceOf(flags.trace, `lab mr run ${module}`)
  const page = await openPage(flags, io)
  const { workers, mode, transport, heap } = flags
  try {
    const result = await run(file, {
      ...jobOptions(flags, io),
      ...(workers === undefined ? {} : { workers }),
      ...(mode === undefined ? {} : { mode }),
      ...(transport === undefined ? {} : { transport }),
      ...(heap === undefined ? {} : { heapMb: heap }),
      ...(trace === undefined ? {} : { trace: trace.sink }),
      execArgv: flagsForTypes(),
      onProgress: (status) => {
        line.show(status)
        page?.show(status)
      },
      signal: io.signal,
    })
    line.end()
    await sayDone(result.manifest, result.elapsedMs, flags, io)
  } finally {
    line.end()
    page?.close()
    trace?.close()
  }
}

export async function coordinate(module: string, flags: CoordinatorFlags, io: Io): Promise<void> {
  const file = prepare(module, flags, io)
  await coordinateFile(file, flags, io, ({ address, secret }) => {
    io.talk(`coordinator at ${address}; on each machine, as often as it is to take tasks:`)
    io.talk(`  LAB_MR_SECRET=${secret} npx lab mr worker --join ${address}`)
  })
}

/** @param announce tells how workers come in */
export async function coordinateFile(
  file: string,
  flags: CoordinatorFlags,
  io: Io,
  announce: (host: HostedJob) => void = () => undefined,
): Promise<void> {
  const { listen, insecure } = flags
  const secret = io.env['LAB_MR_SECRET']
  const trace = traceOf(flags.trace, `lab mr coordinator ${file}`)
  const host = await hostJob(file, {
    ...jobOptions(flags, io),
    ...(listen === undefined ? {} : { listen }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(secret === undefined || secret === '' ? {} : { secret }),
    ...(trace === undefined ? {} : { trace: trace.sink }),
  })
  announce(host)
  const page = await openPage(flags, io)
  try {
    const report = await watch(host, page, io)
    await sayDone(report.manifest, report.elapsedMs, flags, io)
    // Workers that poll just now learn that it is over.
    await new Promise((wake) => setTimeout(wake, PROGRESS_MS))
  } finally {
    await host.close()
    page?.close()
    trace?.close()
  }
}

async function watch(host: HostedJob, page: StatusPage | undefined, io: Io): Promise<JobReport> {
  const line = new ProgressLine(process.stderr)
  const show = (): void => {
    const status = host.status()
    line.show(status)
    page?.show(status)
  }
  const timer = setInterval(show, PROGRESS_MS)
  const stop = (): void => void host.close()
  io.signal.addEventListener('abort', stop, { once: true })
  try {
    return await host.done
  } finally {
    io.signal.removeEventListener('abort', stop)
    clearInterval(timer)
    page?.show(host.status())
    line.end()
  }
}

async function openPage(
  { page }: { readonly page?: number | true },
  io: Io,
): Promise<StatusPage | undefined> {
  if (page === undefined) return undefined
  const { StatusPage } = await import('./page/server.ts')
  const opened = await StatusPage.open(page === true ? 0 : page)
  io.talk(`status page: ${opened.url}`)
  return opened
}

/** The job's file, when everything is in place to start. */
export function prepare(
  module: string,
  flags: { readonly force?: boolean; readonly out: string },
  { cwd }: Io,
): string {
  const file = resolve(cwd, module)
  if (!existsSync(file)) throw usage(`there is no file ${module}`)
  loadTypes()
  const out = resolve(cwd, flags.out)
  const isOurs = existsSync(join(out, '_SUCCESS.json')) || existsSync(join(out, '_attempt'))
  if (flags.force === true && isOurs) rmSync(out, { recursive: true })
  return file
}

function traceOf(file: string | undefined, what: string): TraceFile | undefined {
  return file === undefined ? undefined : openTraceFile(file, { what, nodes: ['coordinator'] })
}

async function sayDone(
  manifest: Manifest,
  elapsedMs: number,
  flags: { out: string; output: Format },
  io: Io,
): Promise<void> {
  const records = manifest.parts.reduce((sum, part) => sum + part.records, 0)
  const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0)
  const row = {
    ...{ job: manifest.job, output: flags.out, parts: manifest.parts.length, records, bytes },
    ...{ millis: Math.round(elapsedMs), skipped: manifest.skipped.length, counters: manifest.counters },
  }
  const counters = Object.entries(manifest.counters).map(([name, value]) => `\n  ${name} = ${String(value)}`)
  const skipped =
    manifest.skipped.length === 0 ? '' : `\n  ${String(manifest.skipped.length)} bad records were left out`
  const sentence = `${String(records)} records in ${String(manifest.parts.length)} parts of ${flags.out}, in ${(elapsedMs / 1000).toFixed(1)} s: npx lab mr cat ${flags.out}${skipped}${counters.join('')}`
  await io.out(formatRow(row, flags.output, sentence))
}
