/** `lab grade`: anybody's Raft, key/value service or shard controller before the labs' tests. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { toError } from '@lab/rpc'
import { LabFailure, labLine, labTrace, labTraceName, type LabResult, type LabTest } from '@lab/raft/testing'
import { TraceChecker, type Violation } from '@lab/trace'
import { Option, type Command } from 'commander'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import { watchForHangs, type HangWatch } from '../hang-watch.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRows, type Format, type Row } from '../output.ts'
import { parseCount, parseDuration, parseNumber, usage } from '../parse.ts'
import { loadLabs } from '../student-module.ts'

interface GradeFlags {
  readonly part?: string
  readonly test?: string
  readonly seeds: number
  readonly from: number
  readonly traces: string
  readonly hang: number
  readonly output: Format
}

const EXAMPLES = `
  lab grade my-raft.ts --part 2A                     the elections, 20 seeds each
  lab grade my-raft.ts --part 2B --seeds 100         more runs find rarer bugs
  lab grade my-raft.ts --part 3A                     our key/value store on that Raft
  lab grade my-kv.ts --part 3B                       a key/value service: a server and a clerk
  lab grade my-controller.ts --part 4A               a shard controller: a server and a clerk
  lab grade my-shards.ts --part 4B                   a sharded store: a server and a clerk
  lab grade my-raft.ts --test 'Backup (2B)' --from 17 --seeds 1    that run again, to the last bit`

/** Of real time; the longest of our own takes two seconds. */
const HANG_MS = 60_000

export function addGradeCommand(program: Command, io: Io): void {
  const grade = program
    .command('grade <module>')
    .description(
      "hold a Raft, a key/value service or a shard controller, yours, to the labs' tests; <module> exports make, makeServer and makeClerk, or makeController and makeControllerClerk",
    )
    .addOption(
      new Option('--part <part>', 'of the labs').choices(['2A', '2B', '2C', '2D', '3A', '3B', '4A', '4B']),
    )
    .addOption(new Option('--test <name>', 'only tests whose name holds this'))
    .addOption(new Option('--seeds <count>', 'runs of each test').argParser(parseCount).default(20))
    .addOption(new Option('--from <seed>', 'the first').argParser(parseNumber).default(1))
    .addOption(new Option('--traces <folder>', 'where traces of failed runs go').default('.lab/traces'))
    .addOption(
      new Option('--hang <time>', 'a run that takes longer hangs: says where, and ends with 1')
        .argParser(parseDuration)
        .default(HANG_MS, '60s'),
    )
  withExamples(addOutputOption(grade), EXAMPLES).action((module: string, flags: GradeFlags) =>
    run(module, flags, io),
  )
}

/** @throws {CliError} `FAILED` when a test failed */
async function run(module: string, flags: GradeFlags, io: Io): Promise<void> {
  const { part, test = '', output } = flags
  const labs = await loadLabs(module, io.cwd)
  const wanted = labs.tests(part).filter(({ title }) => title.includes(test))
  if (wanted.length === 0)
    throw usage(`no test${part === undefined ? '' : ` of part ${part}`} is called "${test}"`)
  const rows: Row[] = []
  const hangs = watchForHangs(resolve(io.cwd, module), flags.hang)
  try {
    for (const one of wanted) {
      const verdict = await judge(one, { module, flags, io, hangs })
      rows.push(verdict.row)
      if (output === 'table') await io.out(`${verdict.text}\n`)
    }
  } finally {
    hangs.close()
  }
  if (output !== 'table') await io.out(formatRows(rows, output))
  const failed = rows.filter(({ passed }) => passed !== true).length
  const count = `${rows.length - failed} passed, ${failed} failed`
  if (failed > 0) throw new CliError('FAILED', count)
  io.talk(count)
}

interface Verdict {
  readonly row: Row
  readonly text: string
}

/** Runs one test until a seed fails. */
async function judge(test: LabTest, context: Context): Promise<Verdict> {
  const { seeds, from } = context.flags
  const results: LabResult[] = []
  for (let seed = from; seed < from + seeds; seed++) {
    context.hangs.begin(`${test.title}, seed ${seed},`)
    try {
      results.push(await test.run(seed))
    } catch (thrown) {
      return failure(test, seed, toError(thrown), context)
    }
  }
  const row = {
    test: test.title,
    passed: true,
    seeds,
    seed: null,
    rule: null,
    section: null,
    seen: null,
    trace: null,
  }
  return { row, text: labLine(results) }
}

interface Context {
  readonly hangs: HangWatch
  readonly module: string
  readonly flags: GradeFlags
  readonly io: Io
}

async function failure(
  test: LabTest,
  seed: number,
  error: Error,
  { module, flags, io }: Context,
): Promise<Verdict> {
  const { events, text: trace } = await labTrace(test, seed)
  const file = join(flags.traces, labTraceName(test, seed))
  mkdirSync(resolve(io.cwd, flags.traces), { recursive: true })
  writeFileSync(resolve(io.cwd, file), trace)
  const checker = new TraceChecker()
  // The labs see what is applied and said; the trace may show a rule broken before that.
  const earlier = events
    .flatMap((event) => [...checker.feed(event)])
    .find(({ rule }) => rule !== 'saidByItself')
  const seen =
    error instanceof LabFailure ? error.message : `${test.title}, seed ${seed}: it threw ${String(error)}`
  const news = earlier !== undefined && !seen.includes(earlier.seen) ? earlier : undefined
  const text = [`FAILED ${seen}`, ...firstBroken(news), ...howToSee(test, seed, module, file)].join('\n')
  const rule = error instanceof LabFailure ? error.rule : null
  const row = {
    ...{ test: test.title, passed: false, seeds: flags.seeds, seed },
    ...{ rule: rule?.rule ?? null, section: rule?.section ?? null, seen, trace: file },
  }
  return { row, text }
}

function firstBroken(violation: Violation | undefined): string[] {
  if (violation === undefined) return []
  const { event, seen, text, section } = violation
  return [`  first broken, at event ${event.i}: ${seen}\n  the rule: ${text} (${section})`]
}

function howToSee({ title }: LabTest, seed: number, module: string, file: string): string[] {
  return [
    `  replay: lab grade ${module} --test '${title}' --from ${seed} --seeds 1`,
    `  cols:   lab trace cols ${file} --filter=-heartbeat`,
    `  html:   lab trace html ${file}`,
  ]
}
