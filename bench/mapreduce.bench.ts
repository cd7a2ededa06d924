/**
 * Word count, index, search and sort by jobs in cluster mode with two workers, fault tolerance on, beside the programs that
 * people reach for. The package is built first, as one installs it. Rounds alternate, so that all meet the same machine; outputs
 * are compared. Nobody syncs its output.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts'
import { build } from './mapreduce/built.ts'
import { again, lineFile, RECORD_BYTES, recordFiles, textFiles, tinyFiles } from './mapreduce/data.ts'
import { measure, wakeMemory, type Taken } from './mapreduce/measure.ts'

const MB = 1e6
/** By the seconds that there are: a look, most of which is the start of processes; a quarter of a gigabyte; a whole one. */
const SIZES = [
  { from: 300, bytes: 1000 * MB },
  { from: 100, bytes: 256 * MB },
  { from: 0, bytes: 16 * MB },
]
const FILE_BYTES_MAX = 125 * MB
/** Searches are fast: their input is the text as often as it takes to make so much. */
const SEARCHED_BYTES = 1000 * MB

/** Of each contest; fewer of one whose first took longer than that. What is told is the run of median time. */
const ROUNDS = 5
const ROUNDS_SECONDS_MAX = 60

/** Before each run, so many bytes for each of the input: what the hungriest of them holds, and all that it writes. */
const WOKEN_BYTES = 3
const WOKEN_MIN = 256 * MB

const TINY_FILES = 1000
const LINES = 10_000
/** Of the folder with all that the benchmark makes. */
const BUILT = 'built'

interface Contest {
  readonly what: string
  /** `again`: the text as often as makes a gigabyte, under other names. */
  readonly input: 'text' | 'again' | 'records' | 'tiny' | 'lines'
  readonly jobs: readonly Run[]
  readonly splitBytes: number
  /** Program → a line of shell that reads `$1`, a pattern of files, and writes `$2`. */
  readonly peers: Readonly<Record<string, string>>
  /** What outputs are to have in common: all bytes, or all lines in any order. */
  readonly same: 'bytes' | 'lines' | 'nothing'
}

interface Run {
  readonly job: string
  readonly workers?: number
  readonly reducers?: number
  readonly trouble?: 'kill' | 'slow' | 'streams'
  /** The run, by its name, that this one is to be little slower than. */
  readonly beside?: string
}

const CONTESTS: readonly Contest[] = [
  {
    what: 'word count',
    input: 'text',
    jobs: [{ job: 'token-counts' }, { job: 'bytes-words' }, { job: 'string-words' }],
    splitBytes: 2 ** 27,
    peers: {
      mawk: `mawk -F'[^A-Za-z]+' '{ for (i = 1; i <= NF; i++) if ($i != "") n[$i]++ } END { for (w in n) print w "\\t" n[w] }' $1 > "$2"`,
      duckdb: '',
    },
    same: 'lines',
  },
  {
    what: 'inverted index',
    input: 'text',
    jobs: [{ job: 'inverted-index' }],
    splitBytes: 2 ** 27,
    peers: { duckdb: '' },
    same: 'lines',
  },
  {
    what: 'search for text',
    input: 'again',
    jobs: [{ job: 'grep-literal' }],
    splitBytes: 2 ** 27,
    peers: { mawk: `mawk '/zqx/' $1 > "$2"`, duckdb: '' },
    same: 'nothing',
  },
  {
    what: 'search by expression',
    input: 'again',
    jobs: [{ job: 'grep-expression' }],
    splitBytes: 2 ** 27,
    peers: { mawk: `mawk '/zq[xj]/' $1 > "$2"`, duckdb: '' },
    same: 'nothing',
  },
  {
    what: 'sort of 100 B records',
    input: 'records',
    jobs: [{ job: 'sort' }, { job: 'sort', trouble: 'streams', beside: '@lab sort' }],
    splitBytes: 2 ** 25,
    peers: { coreutils: `sort --parallel=2 -S4G $1 > "$2"`, duckdb: '' },
    same: 'bytes',
  },
  {
    // Smaller tasks, as one takes where machines are lost: what is at most done twice is smaller, too.
    what: 'the same sort in small tasks, with losses',
    input: 'records',
    jobs: [
      { job: 'sort', workers: 2, reducers: 12 },
      { job: 'sort', workers: 3, reducers: 12 },
      { job: 'sort', workers: 3, reducers: 12, trouble: 'kill', beside: '@lab sort, 2 workers' },
      { job: 'sort', workers: 3, reducers: 12, trouble: 'slow', beside: '@lab sort, 3 workers' },
    ],
    splitBytes: 2 ** 24,
    peers: {},
    same: 'bytes',
  },
  {
    what: 'ten thousand tasks of nothing',
    input: 'lines',
    jobs: [{ job: 'nothing' }],
    splitBytes: 2,
    peers: {},
    same: 'nothing',
  },
  {
    what: 'a thousand tiny files',
    input: 'tiny',
    jobs: [{ job: 'empty' }],
    splitBytes: 2 ** 26,
    peers: {},
    same: 'nothing',
  },
]

export const benchmark: Benchmark = {
  title:
    'MapReduce: cluster mode, two worker processes, four parts; peers with --peers coreutils,mawk,duckdb',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'lab-bench-mr-'))
    try {
      build(join(folder, BUILT))
      const rows: Row[] = []
      for (const contest of CONTESTS) rows.push(...(await hold(contest, folder, options)))
      return rows
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function hold(contest: Contest, folder: string, options: BenchmarkOptions): Promise<Row[]> {
  const { peers } = options
  const bytes = makeInput(contest.input, folder, wantedBytes(options))
  const pattern = join(folder, `${contest.input}-*`)
  const programs = Object.entries(contest.peers).filter(([name]) => peers.has(name))
  const lines = new Map<string, (output: string) => Promise<Taken>>()
  for (const run of contest.jobs) lines.set(nameOf(run), (output) => runJob(contest, run, folder, output))
  for (const [name, line] of programs)
    lines.set(name, (output) =>
      name === 'duckdb'
        ? runBuilt(folder, 'duckdb', [peers.get(name) ?? '', contest.what, pattern, output])
        : measure(line, [pattern, output]),
    )
  const rounds = new Map<string, Taken[]>()
  const digests = new Set<string>()
  let seconds = 0
  for (let round = 0; round < ROUNDS && seconds < ROUNDS_SECONDS_MAX; round++) {
    for (const [name, once] of lines) {
      const output = join(folder, `output-${name.replace(/\W/g, '')}`)
      // For each the same: nothing is still being written, the input is in memory, and more memory is at hand.
      await measure('sync; cat $1 > /dev/null', [pattern])
      wakeMemory(Math.max(WOKEN_MIN, WOKEN_BYTES * bytes))
      const one = await once(output)
      seconds += one.wallSeconds
      rounds.set(name, [...(rounds.get(name) ?? []), one])
      options.log(`${contest.what}, ${name}: ${one.wallSeconds.toFixed(2)} s`)
      // DuckDB ends lines in its own way.
      if (round === 0 && (contest.same === 'lines' || (contest.same === 'bytes' && name !== 'duckdb')))
        digests.add(digest(output, contest.same === 'bytes'))
      rmSync(output, { recursive: true, force: true })
    }
  }
  const taken = new Map([...rounds].map(([name, all]) => [name, middle(all)]))
  if (digests.size > 1) throw new Error(`${contest.what}: the outputs differ`)
  const beside = new Map(contest.jobs.map((run) => [nameOf(run), run.beside ?? '']))
  return [...taken].map(([name, one]) => rowOf(contest.what, name, bytes, one, { taken, beside }))
}

function middle(all: readonly Taken[]): Taken {
  const ordered = all.toSorted((one, other) => one.wallSeconds - other.wallSeconds)
  return ordered[Math.floor(ordered.length / 2)] as Taken
}

function wantedBytes({ bytes, seconds }: BenchmarkOptions): number {
  return bytes ?? SIZES.find(({ from }) => seconds >= from)?.bytes ?? 16 * MB
}

/** @returns its bytes */
function makeInput(input: Contest['input'], folder: string, wanted: number): number {
  // As many for each of two workers.
  const files = 2 * Math.ceil(wanted / (2 * FILE_BYTES_MAX))
  const fileBytes = Math.floor(wanted / files / RECORD_BYTES) * RECORD_BYTES
  if (input === 'records') recordFiles(folder, files, fileBytes)
  else if (input === 'tiny') return tinyFiles(folder, TINY_FILES)
  else if (input === 'lines') return lineFile(folder, LINES)
  else {
    const texts = textFiles(folder, files, fileBytes)
    if (input === 'again')
      return again(texts, folder, Math.ceil(SEARCHED_BYTES / (files * fileBytes))) * fileBytes
  }
  return files * fileBytes
}

const TROUBLES = { kill: 'one killed', slow: 'one 20 × slower', streams: 'shuffle by TCP' }

function nameOf({ job, workers, trouble }: Run): string {
  const what = trouble === undefined ? '' : `, ${TROUBLES[trouble]}`
  return `@lab ${job}${workers === undefined ? '' : `, ${workers} workers`}${what}`
}

function runJob(
  { input, splitBytes }: Contest,
  { job, workers = 2, reducers = 4, trouble }: Run,
  folder: string,
  output: string,
): Promise<Taken> {
  const module = join(folder, BUILT, `${job}-job.js`)
  const settings = [splitBytes, workers, reducers].map(String)
  return runBuilt(folder, 'run', [module, join(folder, `${input}-*`), output, ...settings, trouble ?? ''])
}

function runBuilt(folder: string, script: string, parameters: readonly string[]): Promise<Taken> {
  return measure('"$@"', [process.execPath, join(folder, BUILT, `${script}-process.js`), ...parameters])
}

interface Compared {
  readonly taken: ReadonlyMap<string, Taken>
  /** Run → the one that it is to be little slower than, or ''. */
  readonly beside: ReadonlyMap<string, string>
}

function rowOf(
  what: string,
  name: string,
  bytes: number,
  { wallSeconds, cpuSeconds, residentMb }: Taken,
  { taken, beside }: Compared,
): Row {
  const peers = [...taken].filter(([other]) => !other.startsWith('@lab'))
  const against = name.startsWith('@lab')
    ? peers.map(([other, theirs]) => {
        const wall = (theirs.wallSeconds / wallSeconds).toFixed(1)
        const cpu = (theirs.cpuSeconds / cpuSeconds).toFixed(1)
        const memory = (residentMb / theirs.residentMb).toFixed(2)
        return `${wall} × ${other} (CPU ${cpu}, memory ${memory})`
      })
    : []
  const quiet = taken.get(beside.get(name) ?? '')
  if (quiet !== undefined)
    against.unshift(`${(wallSeconds / quiet.wallSeconds).toFixed(2)} × as long as ${beside.get(name) ?? ''}`)
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
