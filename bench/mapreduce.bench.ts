/**
 * Word count, search and sort by jobs in cluster mode with two workers, fault tolerance on, beside the programs that people
 * reach for. Rounds alternate, so that all meet the same machine; outputs are compared.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts'
import { recordFiles, textFiles } from './mapreduce/data.ts'
import { measure, type Taken } from './mapreduce/measure.ts'

const MB = 1e6
/** By the seconds that there are: a look, most of which is the start of processes; a quarter of a gigabyte; a whole one. */
const SIZES = [
  { from: 300, files: 8, fileBytes: 125 * MB, rounds: 3 },
  { from: 100, files: 4, fileBytes: 64 * MB, rounds: 1 },
  { from: 0, files: 2, fileBytes: 8 * MB, rounds: 1 },
]

interface Contest {
  readonly what: string
  readonly input: 'text' | 'records'
  readonly jobs: readonly string[]
  readonly splitBytes: number
  /** Program → a line of shell that reads `$1`, a pattern of files, and writes `$2`. */
  readonly peers: Readonly<Record<string, string>>
  /** The output, in an order that all have. */
  readonly sorted: boolean
}

const CONTESTS: readonly Contest[] = [
  {
    what: 'word count',
    input: 'text',
    jobs: ['token-counts', 'string-words'],
    splitBytes: 2 ** 27,
    peers: {
      mawk: `mawk -F'[^A-Za-z]+' '{ for (i = 1; i <= NF; i++) if ($i != "") n[$i]++ } END { for (w in n) print w "\\t" n[w] }' $1 > "$2"`,
    },
    sorted: false,
  },
  {
    what: 'search for text',
    input: 'text',
    jobs: ['grep-literal'],
    splitBytes: 2 ** 27,
    peers: { mawk: `mawk '/zqx/' $1 > "$2"` },
    sorted: false,
  },
  {
    what: 'search by expression',
    input: 'text',
    jobs: ['grep-expression'],
    splitBytes: 2 ** 27,
    peers: { mawk: `mawk '/zq[xj]/' $1 > "$2"` },
    sorted: false,
  },
  {
    what: 'sort of 100 B records',
    input: 'records',
    jobs: ['sort'],
    splitBytes: 2 ** 26,
    peers: { coreutils: `sort --parallel=2 -S4G $1 > "$2"` },
    sorted: true,
  },
]

export const benchmark: Benchmark = {
  title: 'MapReduce: cluster mode, two worker processes, four parts; peers with --peers coreutils,mawk',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'lab-bench-mr-'))
    try {
      const rows: Row[] = []
      for (const contest of CONTESTS) rows.push(...(await hold(contest, folder, options)))
      return rows
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function hold(contest: Contest, folder: string, { seconds, peers }: BenchmarkOptions): Promise<Row[]> {
  const size = SIZES.find(({ from }) => seconds >= from) ?? SIZES[0]
  const { files, fileBytes, rounds } = size as (typeof SIZES)[number]
  const make = contest.input === 'text' ? textFiles : recordFiles
  make(folder, files, fileBytes)
  const pattern = join(folder, `${contest.input}-*`)
  const programs = Object.entries(contest.peers).filter(([name]) => peers.has(name))
  const lines = new Map<string, (output: string) => Promise<Taken>>()
  for (const job of contest.jobs) lines.set(`@lab ${job}`, (output) => runJob(contest, job, pattern, output))
  for (const [name, line] of programs) lines.set(name, (output) => measure(line, [pattern, output]))
  const taken = new Map<string, Taken[]>([...lines.keys()].map((name) => [name, []]))
  const digests = new Set<string>()
  for (let round = 0; round < rounds; round++)
    for (const [name, once] of lines) {
      const output = join(folder, `output-${name.replace(/\W/g, '')}`)
      taken.get(name)?.push(await once(output))
      if (contest.what === 'word count' || contest.sorted) digests.add(digest(output, contest.sorted))
      rmSync(output, { recursive: true, force: true })
    }
  if (digests.size > 1) throw new Error(`${contest.what}: the outputs differ`)
  const bytes = files * fileBytes
  return [...taken].map(([name, all]) => rowOf(contest.what, name, bytes, all, taken))
}

function runJob({ splitBytes }: Contest, job: string, pattern: string, output: string): Promise<Taken> {
  const hooks = new URL('../scripts/register-source.mjs', import.meta.url).href
  const script = new URL('mapreduce/run-process.ts', import.meta.url).pathname
  const module = new URL(`mapreduce/${job}-job.ts`, import.meta.url).pathname
  const line = `"$1" --import "$2" "$3" "$4" "$5" "$6" cluster ${splitBytes}`
  return measure(line, [process.execPath, hooks, script, module, pattern, output])
}

function rowOf(
  what: string,
  name: string,
  bytes: number,
  all: readonly Taken[],
  taken: ReadonlyMap<string, readonly Taken[]>,
): Row {
  const { wallSeconds, cpuSeconds, residentMb } = medianOf(all)
  const peers = [...taken].filter(([other]) => !other.startsWith('@lab'))
  const against = name.startsWith('@lab')
    ? peers.map(([other, its]) => {
        const theirs = medianOf(its)
        return `${(theirs.wallSeconds / wallSeconds).toFixed(1)} × ${other} (CPU ${(theirs.cpuSeconds / cpuSeconds).toFixed(1)})`
      })
    : []
  return {
    what,
    by: name,
    'MB/s': bytes / MB / wallSeconds,
    'wall s': wallSeconds,
    'CPU s': cpuSeconds,
    'resident MB': residentMb,
    'as fast as': against.join(', '),
  }
}

/** Of each figure by itself. */
function medianOf(all: readonly Taken[]): Taken {
  const middle = (of: (one: Taken) => number): number =>
    all.map(of).sort((a, b) => a - b)[all.length >> 1] ?? Number.NaN
  return {
    wallSeconds: middle((one) => one.wallSeconds),
    cpuSeconds: middle((one) => one.cpuSeconds),
    residentMb: middle((one) => one.residentMb),
  }
}

/** Of a file, or of the parts of a folder one after the other; lines in order unless they are so already. */
function digest(output: string, isSorted: boolean): string {
  const paths = partsOf(output)
  const hash = createHash('md5')
  if (isSorted) for (const path of paths) hash.update(readFileSync(path))
  else hash.update(execFileSync('sort', paths, { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 2 ** 30 }))
  return hash.digest('hex')
}

function partsOf(output: string): string[] {
  try {
    return readdirSync(output)
      .filter((name) => name.startsWith('part-'))
      .sort()
      .map((name) => join(output, name))
  } catch {
    return [output]
  }
}
