/** A Slurm cluster of three nodes, all of them this machine: its own daemons, ports and folder, without systemd. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePorts } from '../../src/local/ports.ts'

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'srun', 'scancel', 'squeue', 'sinfo']
const NODES = ['n1', 'n2', 'n3']
const READY_MS_MAX = 30_000

/** Why there can be none here; null when there can. */
export function whyNoSlurm(): string | null {
  const missing = PROGRAMS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)
  if (missing.length > 0) return `${missing.join(', ')} not found (apt-get install slurm-wlm munge)`
  return process.getuid?.() === 0 ? null : 'slurmd starts tasks as root only'
}

export class SlurmCluster {
  // Not below a folder that only its owner may enter: munge looks.
  readonly folder = mkdtempSync(join(tmpdir(), 'lab-slurm-'))
  readonly #daemons: ChildProcess[] = []

  /** For srun and the rest. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, SLURM_CONF: join(this.folder, 'slurm.conf'), NODE_ENV: '' }
  }

  async start(): Promise<void> {
    const { folder } = this
    const [controller = 0, ...ports] = await freePorts(1 + NODES.length)
    const at = (name: string): string => join(folder, name)
    writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o600 })
    writeFileSync(at('slurm.conf'), configuration(folder, controller, ports))
    for (const name of ['state', ...NODES.map((node) => `spool.${node}`)]) mkdirSync(at(name))
    this.#run('munged', [
      ...['--foreground', '--force', `--key-file=${at('munge.key')}`, `--socket=${at('munge.sock')}`],
      ...[
        `--pid-file=${at('munged.pid')}`,
        `--log-file=${at('munged.log')}`,
        `--seed-file=${at('munged.seed')}`,
      ],
    ])
    this.#run('slurmctld', ['-D', '-f', at('slurm.conf')])
    for (const node of NODES) this.#run('slurmd', ['-D', '-f', at('slurm.conf'), '-N', node])
    await this.#ready()
  }

  /** `squeue` and the like. */
  ask(program: string, ...args: readonly string[]): string {
    return execFileSync(program, args, { env: this.env, encoding: 'utf8' }).trim()
  }

  async stop(): Promise<void> {
    const ended = this.#daemons.map((child) => once(child, 'exit'))
    for (const child of this.#daemons.toReversed()) child.kill('SIGTERM')
    await Promise.race([Promise.all(ended), wait(5_000)])
    for (const child of this.#daemons) child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  #run(program: string, args: readonly string[]): void {
    this.#daemons.push(spawn(program, args, { env: this.env, stdio: 'ignore' }))
  }

  async #ready(): Promise<void> {
    for (const deadline = Date.now() + READY_MS_MAX; Date.now() < deadline;) {
      await wait(200)
      const { stdout } = spawnSync('sinfo', ['-h', '-o', '%T %D'], { env: this.env, encoding: 'utf8' })
      if (stdout.trim() === `idle ${String(NODES.length)}`) return
    }
    throw new Error(`no nodes are idle after ${String(READY_MS_MAX)} ms: see the logs in ${this.folder}`)
  }
}

function configuration(folder: string, controller: number, ports: readonly number[]): string {
  const at = (name: string): string => join(folder, name)
  const nodes = NODES.map(
    (node, i) =>
      `NodeName=${node} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${String(ports[i])} CPUs=8`,
  )
  return `ClusterName=lab
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${String(controller)}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${at('munge.sock')}
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${at('spool.%n')}
SlurmctldPidFile=${at('slurmctld.pid')}
SlurmdPidFile=${at('slurmd.%n.pid')}
SlurmctldLogFile=${at('slurmctld.log')}
SlurmdLogFile=${at('slurmd.%n.log')}
SlurmdParameters=config_overrides
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
KillWait=5
${nodes.join('\n')}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`
}
