/** The options that jobs share, as commander gives them and as @lab/mapreduce takes them. */
import { resolve } from 'node:path'
import type { JobOptions } from '@lab/mapreduce'
import { Option, type Command } from 'commander'
import type { Io } from '../io.ts'
import { parseCount, parseDuration, parseNumber, usage } from '../parse.ts'

export interface JobFlags {
  readonly input: readonly string[]
  readonly out: string
  readonly reducers?: number
  readonly param?: Readonly<Record<string, string>>
  readonly skip?: number
  readonly attempts?: number
  readonly memory?: number
  readonly split?: number
  readonly hang?: number
  readonly lease?: number
  /** False with `--no-backups`. */
  readonly backups: boolean
}

export function addJobOptions(command: Command): Command {
  return command
    .requiredOption('--input <pattern...>', 'files, or patterns in quotes such as "books/*.txt"')
    .requiredOption('--out <folder>', 'for the results: new, empty, or of a run to go on with')
    .addOption(new Option('--reducers <count>', 'parts of the output').argParser(parseCount))
    .addOption(parameterOption())
    .addOption(new Option('--skip <count>', 'bad records that may be left out').argParser(parseNumber))
    .addOption(new Option('--attempts <count>', 'of a task, before the job fails').argParser(parseCount))
    .addOption(new Option('--memory <bytes>', 'for a task before it spills, as 64mb').argParser(parseBytes))
    .addOption(new Option('--split <bytes>', 'larger files are cut, as 64mb').argParser(parseBytes))
    .addOption(
      new Option('--hang <time>', 'a function that takes longer for a record hangs').argParser(parseDuration),
    )
    .addOption(new Option('--lease <time>', 'a worker silent for longer is lost').argParser(parseDuration))
    .option('--no-backups', 'no second attempts of slow tasks')
}

export function parameterOption(): Option {
  return new Option('--param <name=value>', 'told to the job; may be repeated').argParser(parseParameter)
}

export function jobOptions(flags: JobFlags, { cwd }: Io): JobOptions {
  const { reducers, param, skip, attempts, memory, split, hang, lease, backups } = flags
  return {
    input: flags.input.map((pattern) => resolve(cwd, pattern)),
    output: resolve(cwd, flags.out),
    backups,
    ...(reducers === undefined ? {} : { reducers }),
    ...(param === undefined ? {} : { parameters: param }),
    ...(skip === undefined ? {} : { skipMax: skip }),
    ...(attempts === undefined ? {} : { attemptsMax: attempts }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(split === undefined ? {} : { splitBytes: split }),
    ...(hang === undefined ? {} : { hangMs: hang }),
    ...(lease === undefined ? {} : { leaseMs: lease }),
  }
}

function parseParameter(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw usage(`--param takes NAME=VALUE, not "${text}"`)
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }

/** `64mb`, `1gb`, or bytes alone. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(kb|mb|gb)?$/i.exec(text)
  const bytes = Number(match?.[1]) * (UNITS[match?.[2]?.toLowerCase() ?? ''] ?? NaN)
  if (!(bytes >= 1)) throw usage(`a size is written as 64mb, 1gb or in bytes, not "${text}"`)
  return Math.round(bytes)
}
