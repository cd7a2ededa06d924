/** What a command and all that it starts took. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { freemem } from 'node:os'

export interface Taken {
  readonly wallSeconds: number
  /** Of all processes together. */
  readonly cpuSeconds: number
  /** The most that all processes held at a time, looked at every 50 ms. */
  readonly residentMb: number
}

const LOOK_MS = 50
const TOUCH =
  'const bytes = Buffer.allocUnsafeSlow(+process.argv[1]); for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1'

/** Runs a line of shell, and fails as it does. `$1` and so on are `parameters`. */
export async function measure(line: string, parameters: readonly string[]): Promise<Taken> {
  const begun = performance.now()
  // The shell's own `times` counts everything that ended below it.
  const child = spawn('sh', ['-c', `${line}\ncode=$?; times >&2; exit $code`, 'sh', ...parameters], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Without what runs this benchmark from its sources.
    env: { ...process.env, NODE_OPTIONS: '', LC_ALL: 'C' },
  })
  let talk = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (talk += text))
  let resident = 0
  const timer = setInterval(() => {
    resident = Math.max(resident, residentBelow(child.pid ?? 0))
  }, LOOK_MS)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${line}: exit ${String(code)}\n${talk}`)
  const times = [
    ...talk
      .trimEnd()
      .split('\n')
      .slice(-1)
      .join('')
      .matchAll(/(\d+)m([\d.]+)s/g),
  ]
  const cpuSeconds = times.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
  return { wallSeconds: (performance.now() - begun) / 1000, cpuSeconds, residentMb: resident / 1e6 }
}

/**
 * Has the machine's host give memory that nobody holds: a virtual machine's may take back what is free for two seconds, and whoever
 * comes first waits for each page of it.
 */
export function wakeMemory(bytes: number): void {
  spawnSync(process.execPath, ['-e', TOUCH, String(Math.floor(Math.min(bytes, freemem() / 2)))], {
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
}

/** Bytes that a process and its children hold; 0 where there is no /proc. */
function residentBelow(root: number): number {
  const parents = new Map<number, { parent: number; bytes: number }>()
  for (const name of processes()) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ').pop()?.split(' ') ?? []
      parents.set(Number(name), { parent: Number(fields[1]), bytes: Number(fields[21]) * 4096 })
    } catch {
      // It ended meanwhile.
    }
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (parents.has(pid) && isBelow(parents.get(pid)?.parent ?? 0))
  let bytes = 0
  for (const [pid, process] of parents) if (pid > 1 && isBelow(pid)) bytes += process.bytes
  return bytes
}

function processes(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}
