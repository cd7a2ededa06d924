/** A real server, in a process of its own: what `lab up` and the demo start. */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LAB_BIN } from '../own-files.ts'
import { CliError } from '../errors.ts'

export interface ServerProcessOptions {
  readonly id: string
  /** id → address, of the whole cluster. Not with `config`. */
  readonly members?: Readonly<Record<string, string>>
  /** The cluster file. */
  readonly config?: string
  readonly clusterId: string
  /** The folder of its data. */
  readonly data: string
  /** The file that its standard error is added to. */
  readonly log: string
  /** True: it outlives this process. False: it stops when this process ends, in whatever way. */
  readonly detached?: boolean
  /** Further arguments of `lab server kv`. */
  readonly more?: readonly string[]
}

export interface ServerProcess {
  readonly id: string
  /** Null when it could not be started at all: `exited` says why. */
  readonly pid: number | null
  /** Resolves once it serves. @throws {CliError} when it ended before, with what it said */
  readonly ready: Promise<void>
  /** How it ended, as people say it: `exit code 1`, `SIGKILL`. */
  readonly exited: Promise<string>
  /** The signal goes to the server itself: there is no wrapper around it. */
  kill(signal: NodeJS.Signals): void
}

/** How much of a dead server's log goes into the error. */
const LAST_WORDS_CHARS = 2000

export function startServerProcess(options: ServerProcessOptions): ServerProcess {
  const { id, detached = false, log } = options
  mkdirSync(dirname(log), { recursive: true })
  const logFile = openSync(log, 'a')
  // Its standard input is a pipe from here, which the kernel closes when this process ends, however that comes about.
  const child = spawn(process.execPath, [LAB_BIN, ...serverArguments(options)], {
    stdio: [detached ? 'ignore' : 'pipe', 'pipe', logFile],
    detached,
  })
  closeSync(logFile)
  child.stdin?.on('error', () => undefined)
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('exit', (code, signal) => {
      resolve(signal ?? `exit code ${String(code)}`)
    })
  })
  const ready = firstLine(child, exited).then((line) => {
    if (line === null) throw new CliError('FAILED', `${id} did not start: ${lastWords(log)}`)
    if (detached) letGo(child)
  })
  // Whoever does not wait for it has `exited`.
  ready.catch(() => undefined)
  return { id, pid: child.pid ?? null, ready, exited, kill: (signal) => child.kill(signal) }
}

function serverArguments({
  id,
  members = {},
  config,
  clusterId,
  data,
  detached = false,
  more = [],
}: ServerProcessOptions): string[] {
  const list = Object.entries(members).map(([member, address]) => `${member}=${address}`)
  return [
    ...['server', 'kv', '--id', id, '--cluster-id', clusterId, '--data', data],
    ...(config === undefined ? ['--members', list.join(',')] : ['--config', config]),
    ...(detached ? [] : ['--while-stdin']),
    ...more,
  ]
}

/** The line that a server prints when it serves; null when it ended without. */
function firstLine(child: ChildProcess, exited: Promise<string>): Promise<string | null> {
  const printed = new Promise<string>((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
  return Promise.race([printed, exited.then(() => null)])
}

/** Nothing of a detached server keeps this process from ending. */
function letGo(child: ChildProcess): void {
  child.stdout?.destroy()
  child.unref()
}

function lastWords(log: string): string {
  const text = readFileSync(log, 'utf8').trim()
  return text === '' ? `see ${log}` : text.slice(-LAST_WORDS_CHARS)
}
