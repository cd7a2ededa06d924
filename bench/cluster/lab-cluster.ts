/** Real `lab server kv` processes with files on disk, as people start them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Clerk } from '@lab/kvraft/clerk'
import { tcp } from '@lab/rpc/tcp'
import { freePorts } from './free-ports.ts'
import { ServerProcess } from './server-process.ts'

const LAB = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'lab.js')
/** Inside the checkout: a temporary folder is often in memory, where a sync costs nothing. */
const DATA_PARENT = join(import.meta.dirname, '..', '..', 'node_modules')
const POLL_MS = 20

/** A folder on the disk of the checkout. */
export function dataFolder(): string {
  return mkdtempSync(join(DATA_PARENT, '.lab-bench-'))
}

/** `lab …` in a process of its own. */
export function labProcess(...args: readonly string[]): ServerProcess {
  return new ServerProcess(process.execPath, [LAB, ...args])
}

export class LabCluster {
  readonly servers: readonly ServerProcess[]
  readonly addresses: readonly string[]
  readonly #folder: string

  static async start(size: number): Promise<LabCluster> {
    const ports = await freePorts(size)
    const cluster = new LabCluster(ports)
    await Promise.all(cluster.servers.map((server) => server.start()))
    return cluster
  }

  private constructor(ports: readonly number[]) {
    this.#folder = dataFolder()
    this.addresses = ports.map((port) => `tcp://127.0.0.1:${String(port)}`)
    const ids = ports.map((_, at) => `n${String(at + 1)}`)
    const members = ids.map((id, at) => `${id}=${this.addresses[at] ?? ''}`).join(',')
    this.servers = ids.map((id) => {
      const identity = ['--id', id, '--members', members, '--data', join(this.#folder, id)]
      return labProcess('server', 'kv', ...identity, '--while-stdin', '--log-level', 'error')
    })
  }

  /** @param servers some of them by place; default all */
  clerk(...servers: readonly number[]): Promise<Clerk> {
    const addresses = servers.length === 0 ? this.addresses : servers.map((at) => this.addresses[at] ?? '')
    return Clerk.connect({ servers: addresses, transport: tcp(), timeout: 60_000, connectTimeout: 60_000 })
  }

  /** Waits until all servers answer, agree on a leader, and have applied the same. @returns its place and term */
  async settled(clerk: Clerk): Promise<{ readonly leader: number; readonly term: number }> {
    for (;;) {
      const reports = await clerk.status()
      const all = reports.flatMap(({ status }) => (status === null ? [] : [status]))
      const [first] = all
      const isSettled =
        first !== undefined &&
        first.leader !== null &&
        all.length === this.servers.length &&
        all.every(
          ({ leader, term, appliedIndex, commitIndex }) =>
            leader === first.leader && term === first.term && commitIndex - appliedIndex < 1000,
        )
      if (isSettled) return { leader: Number(first.leader?.slice(1)) - 1, term: first.term }
      await sleep(POLL_MS)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
