/** A server in a process of its own that can be killed and started again, and what the system says about it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What runs this program from source; servers are started as people start them. */
const LOADER = /--import \S+register-source\.mjs/
/** Ticks of /proc/<pid>/stat; the value of sysconf(_SC_CLK_TCK) on every Linux in use. */
const TICKS_PER_SECOND = 100

export interface Usage {
  /** Since the start of the process. */
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** To sockets and files. */
  readonly writes: Writes
}

export interface Writes {
  readonly count: number
  readonly bytes: number
}

export class ServerProcess {
  readonly #program: string
  readonly #args: readonly string[]
  #child: ChildProcess | null = null

  /** What it says on its standard error is ours to read, too. */
  constructor(program: string, args: readonly string[]) {
    this.#program = program
    this.#args = args
  }

  /** Resolves with the first output, or at once for those that say nothing. */
  async start({ quiet = false } = {}): Promise<void> {
    const child = spawn(this.#program, [...this.#args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: process.env['NODE_OPTIONS']?.replace(LOADER, '') },
    })
    this.#child = child
    // Whatever ends this process ends it, too.
    process.once('exit', () => child.kill('SIGKILL'))
    if (quiet) {
      child.stdout.resume()
      return
    }
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => {
        resolve()
      })
      child.once('exit', (code) => {
        reject(new Error(`${this.#program} ended with code ${String(code)} before it served`))
      })
    })
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name)
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (child.kill('SIGKILL')) await gone
  }

  /** Null where /proc does not exist, and for a process that is gone. */
  usage(): Usage | null {
    const pid = this.#child?.pid
    if (process.platform !== 'linux' || pid === undefined) return null
    try {
      // Fields count from the closing bracket: the program's name before it may hold spaces.
      const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
      const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))
      const io = readFileSync(`/proc/${String(pid)}/io`, 'utf8')
      const [count, bytes] = ['syscw', 'wchar'].map((name) =>
        Number(RegExp(`${name}: (\\d+)`).exec(io)?.[1] ?? 0),
      )
      const writes = { count: count ?? 0, bytes: bytes ?? 0 }
      return { cpuSeconds, residentBytes: Number(resident?.[1] ?? 0) * 1024, writes }
    } catch {
      return null
    }
  }
}

/** Of all of them; 0 where nobody knows. */
export function cpuSecondsOf(servers: readonly ServerProcess[]): number {
  return servers.reduce((sum, server) => sum + (server.usage()?.cpuSeconds ?? 0), 0)
}

/** Of all of them, since they started; 0 where nobody knows. */
export function writesOf(servers: readonly ServerProcess[]): Writes {
  const all = servers.flatMap((server) => server.usage()?.writes ?? [])
  const sum = (of: (writes: Writes) => number): number => all.reduce((total, one) => total + of(one), 0)
  return { count: sum(({ count }) => count), bytes: sum(({ bytes }) => bytes) }
}

/** `108 118 110`, in megabytes. */
export function residentOf(servers: readonly ServerProcess[]): string {
  return servers.map((server) => Math.round((server.usage()?.residentBytes ?? 0) / 1e6)).join(' ')
}
