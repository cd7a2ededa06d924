/** `npm start`: what stands around the demo. Folders, processes, signals, and how it all ends. */
import { relative } from 'node:path'
import { placeOf, waitForShards } from '@lab/cli'
import { parseOptions, HELP, UsageError, type DemoOptions } from './options.ts'
import { runDemo } from './demo.ts'
import { bytes, grouped } from './format.ts'
import { labCommand } from './lab-command.ts'
import { Machines } from './machines.ts'
import { PlainLines } from './plain.ts'
import type { View } from './picture.ts'
import { pieceBytesFor, planPages } from './plan.ts'
import { reportLines } from './report.ts'
import { Screen } from './screen.ts'
import { loadFiles, loadMobyDick } from './texts.ts'
import { isClean } from './verify.ts'
import { Workplace } from './workplace.ts'

const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const
/** Between two acts. */
const PAUSE_MS = 4000
/** To begin with, and the group that joins. */
const SIZE = { groups: 2, shards: 64 } as const
const NEWCOMER = 102

export interface Surroundings {
  /** A line of output. */
  readonly print: (line: string) => void
  readonly view: View
  /** Holds `.lab`, where everything is written. */
  readonly root: string
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal
  readonly pauseMs?: number
}

/** Runs the demo in this process and ends it. */
export async function main(argv: readonly string[], root: string): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait; machines die with their parent.
      if (stop.signal.aborted) process.exit(EXIT.interrupted)
      stop.abort(new Error(signal))
    })
  }
  const print = (line: string): void => console.log(line)
  const view = chooseView(print)
  process.exit(await demonstrate(argv, { print, view, root, signal: stop.signal }))
}

/** Never throws. @returns the exit code */
export async function demonstrate(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, signal, view } = surroundings
  try {
    const options = parseOptions(argv)
    if (options !== null) return (await perform(options, surroundings)) ? EXIT.ok : EXIT.failure
    print(HELP)
    return EXIT.ok
  } catch (thrown) {
    view.close()
    if (signal.aborted) {
      print('interrupted: the machines are stopped')
      return EXIT.interrupted
    }
    if (thrown instanceof UsageError) {
      console.error(`${thrown.message}\n\n${HELP}`)
      return EXIT.usage
    }
    console.error(thrown instanceof Error ? thrown.message : thrown)
    return EXIT.failure
  }
}

/** @returns whether every byte came back, once */
async function perform(options: DemoOptions, surroundings: Surroundings): Promise<boolean> {
  const { print, view, signal, root, pauseMs = PAUSE_MS } = surroundings
  const { nodes, transport, rate, keep } = options
  const texts = options.files.length === 0 ? loadMobyDick() : loadFiles(options.files)
  const pages = planPages(texts, pieceBytesFor(texts, rate))
  const size = texts.reduce((sum, text) => sum + text.bytes.length, 0)
  const pieces = pages.reduce((sum, page) => sum + page.pieces.length, 0)
  print(
    `${options.files.length === 0 ? 'Moby-Dick' : 'Your texts'}: ${grouped(pages.length)} keys, ${bytes(size)} in ${grouped(pieces)} operations, ` +
      `${rate === Infinity ? 'as fast as it goes' : `${grouped(rate)} a second`}, into ${SIZE.groups} groups on ${nodes} machines over ${transport}`,
  )

  const workplace = await Workplace.prepare(root, { keep, count: nodes, transport, ...SIZE })
  const { plan, folders } = workplace
  const machines = new Machines(workplace)
  const killNow = (): void => machines.killNow()
  process.on('exit', killNow)
  try {
    await machines.start(machines.ids)
    await waitForShards(machines.addresses)
    const gid = NEWCOMER
    const join = (gid: number, on: readonly string[]): Promise<void> =>
      labCommand(['shard', 'join', `${gid}`, '--on', on.join(','), '--config', plan.config], root, signal)
    const newcomer = { gid, on: placeOf(gid, machines.ids) }
    const { traces, demo: folder } = workplace
    const result = await runDemo({
      ...{ texts, pages, rate, pauseMs, machines, folders, join, newcomer, view, signal },
      ...{ transport, folder },
    })
    const clean = isClean(result.verdict) && result.questions.wrong === 0
    for (const line of reportLines({
      ...result,
      traceCommand: `npx lab trace cols ${relative(root, traces)}`,
    }))
      print(line)
    await machines.stop()
    if (!clean) print(`what the machines wrote is left in ${relative(root, workplace.folder)}`)
    else if (keep) print(await workplace.keepRunning([pages[0]?.key ?? '', result.questions.key]))
    else workplace.clear()
    return clean
  } finally {
    machines.killNow()
    process.off('exit', killNow)
    workplace.close()
  }
}

function chooseView(print: (line: string) => void): View {
  const { stdout, env } = process
  if (!stdout.isTTY || env['TERM'] === 'dumb') return new PlainLines(print)
  const write = (text: string): void => void stdout.write(text)
  return new Screen({ write, width: () => stdout.columns, color: (env['NO_COLOR'] ?? '') === '' })
}
