/** Three real `lab server kv` processes with files on disk, for benchmarks, and what the system says about them. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

const LAB = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'lab.js')
/** Inside the checkout: a temporary folder is often in memory, where a sync costs nothing. */
const DATA_PARENT = join(import.meta.dirname, '..', '..', 'node_modules')
/** Ticks of /proc/<pid>/stat; the value of sysconf(_SC_CLK_TCK) on every Linux in use. */
const TICKS_PER_SECOND = 100

export interface Cluster {
  readonly addresses: readonly string[]
  /** CPU seconds and resident bytes of each process since its start; null where /proc does not exist. */
  usage(): { readonly cpuSeconds: number; readonly residentBytes: number }[] | null
  stop(): Promise<void>
}

export async function startCluster(size: number): Promise<Cluster> {
  const data = mkdtempSync(join(DATA_PARENT, '.lab-bench-'))
  const ports = await freePorts(size)
  const members = ports.map((port, at) => `n${at + 1}=tcp://127.0.0.1:${port}`).join(',')
  const children = ports.map((_, at) => startServer(`n${at + 1}`, members, join(data, `n${at + 1}`)))
  await Promise.all(children.map(serves))
  return {
    addresses: ports.map((port) => `tcp://127.0.0.1:${port}`),
    usage: () => (process.platform === 'linux' ? children.map(usageOf) : null),
    async stop() {
      await Promise.all(children.map(kill))
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function startServer(id: string, members: string, data: string): ChildProcess {
  const identity = ['--id', id, '--members', members, '--data', data]
  const args = ['server', 'kv', ...identity, '--while-stdin', '--log-level', 'warn']
  return spawn(process.execPath, [LAB, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

function serves(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => {
      resolve()
    })
    child.once('exit', (code) => {
      reject(new Error(`a server ended with code ${String(code)} before it served`))
    })
  })
}

function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve()
    })
    child.kill('SIGKILL')
  })
}

function usageOf({ pid }: ChildProcess): { cpuSeconds: number; residentBytes: number } {
  // Fields count from the closing bracket: the program's name before it may hold spaces.
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))
  return { cpuSeconds, residentBytes: Number(resident?.[1] ?? 0) * 1024 }
}

/** All are held before any is let go, or the system might hand out one twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', () => {
          resolve(server)
        })
      })
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return ports
}
