/** `lab sim run --hours`: seeds without end, in a process for each core, until enough virtual time has passed. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { LAB_BIN } from '../bin-path.ts'
import type { RunFlags } from '../commands/sim.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { formatRow } from '../output.ts'
import { sentence, throwIfFailed, type Summary } from './run-seeds.ts'

/** Seeds that one process runs: enough for its code to become fast, few enough that the end is not far. */
const SEEDS_PER_PROCESS = 200
/** A seed leaves much behind that soon nobody needs: with room for it, most is gone before it would be copied. */
const NODE_OPTIONS = ['--max-semi-space-size=64']

type Sum = { -readonly [Field in keyof Summary]: Summary[Field] }

/** @throws {CliError} `FAILED` when a seed failed */
export async function campaign(flags: RunFlags, io: Io): Promise<void> {
  const { hours = 1, workers = availableParallelism(), scenario, output } = flags
  const started = performance.now()
  const sum: Sum = {
    ...{
      scenario,
      from: flags.from,
      seeds: 0,
      failed: 0,
      failedSeeds: [],
      undecided: 0,
      faults: 0,
      operations: 0,
    },
    ...{ simulatedSeconds: 0, seconds: 0 },
  }
  let next = flags.from
  const worker = async (): Promise<void> => {
    while (sum.simulatedSeconds < hours * 3600 && !io.signal.aborted) {
      const from = next
      next += SEEDS_PER_PROCESS
      add(sum, await runChunk(flags, from, io))
      io.talk(
        `${(sum.simulatedSeconds / 3600).toFixed(1)} of ${String(hours)} hours, ${String(sum.failed)} failed`,
      )
    }
  }
  await Promise.all(Array.from({ length: workers }, worker))
  sum.seconds = Math.round((performance.now() - started) / 100) / 10
  await io.out(formatRow(sum, output, sentence(sum)))
  throwIfFailed(sum.failed)
}

function add(sum: Sum, part: Summary): void {
  for (const field of ['seeds', 'failed', 'undecided', 'faults', 'operations', 'simulatedSeconds'] as const)
    sum[field] += part[field]
  sum.failedSeeds = [...sum.failedSeeds, ...part.failedSeeds].slice(0, 20)
}

/** The same command for a few seeds, in a process of its own. */
function runChunk({ scenario, nodes, seconds }: RunFlags, from: number, io: Io): Promise<Summary> {
  const args = ['sim', 'run', '--scenario', scenario, '--from', String(from), '-o', 'json']
  args.push('--seeds', String(SEEDS_PER_PROCESS), ...(nodes === undefined ? [] : ['--nodes', String(nodes)]))
  if (seconds !== undefined) args.push('--seconds', String(seconds))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...NODE_OPTIONS, LAB_BIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stop = (): void => void child.kill()
    io.signal.addEventListener('abort', stop, { once: true })
    let out = ''
    let talk = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (talk += text))
    child.once('error', reject)
    child.once('close', () => {
      io.signal.removeEventListener('abort', stop)
      for (const line of talk.split('\n')) if (/^(seed| {2})/.test(line)) io.talk(line)
      try {
        resolve(JSON.parse(out) as Summary)
      } catch {
        reject(new CliError('FAILED', `seeds from ${String(from)} ended without a word: ${talk.slice(-500)}`))
      }
    })
  })
}
