/** `lab check`: is a history linearizable? */
import { readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import {
  checkLinearizable,
  HistoryError,
  kvModel,
  parseHistory,
  registerModel,
  type CheckResult,
  type Model,
  type Operation,
  type ParsedHistory,
} from '@lab/sim'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRow, type Format } from '../output.ts'
import { parseCount, usage } from '../parse.ts'

const EXAMPLES = `
  lab check history.jsonl                 is there an order that explains what every client saw?
  lab check history.jsonl --model register
  lab sim replay --seed 17 --history 17.jsonl && lab check 17.jsonl`

const FORMAT = `
A history is JSON lines: {"type":"invoke","t":0.5,"client":"c1","id":1,"op":{"op":"put","key":"x","value":"1"}}, then
{"type":"ok","t":2.1,"id":1,"result":null}; or "fail": it had no effect; or "unknown": it may have had one.
Operations of kv: get, put, append, delete, cas; of shards also: join, leave, move; of register: read, write, cas. Exit codes: 0 yes · 1 no, or too hard to say · 2 usage`

const MODELS: Readonly<Record<string, Model>> = { kv: kvModel, register: registerModel, shards: kvModel }
/** What operators do to a sharded store: they name no key, and explain themselves. */
const MOVES = new Set<unknown>(['join', 'leave', 'move'])

interface CheckFlags {
  readonly model?: string
  readonly budget?: number
  readonly output: Format
}

export function addCheckCommand(program: Command, io: Io): void {
  withExamples(addOutputOption(program.command('check')), EXAMPLES)
    .description('judge whether a history is linearizable')
    .argument('<history>', 'a file, or - for standard input')
    .addOption(
      new Option('--model <name>', 'what it is a history of (default: as its header says)').choices(
        Object.keys(MODELS),
      ),
    )
    .addOption(new Option('--budget <steps>', 'for each key, before it says unknown').argParser(parseCount))
    .addHelpText('after', FORMAT)
    .action((file: string, flags: CheckFlags) => check(file, flags, io))
}

async function check(file: string, flags: CheckFlags, io: Io): Promise<void> {
  const history = parse(file, file === '-' ? new TextDecoder().decode(await io.readInput()) : textOf(file))
  const name = flags.model ?? history.model
  const model = modelOf(name)
  const { budget } = flags
  const told = history.operations.filter(({ op }) => name !== 'shards' || !isMove(op))
  const result = judge(model, told, budget === undefined ? {} : { budget })
  const { verdict, operations, keys, undecided, counterExample } = result
  const row = { verdict, operations, keys, undecided, counterExample }
  await io.out(formatRow(row, flags.output, sentence(result, model)))
  if (verdict === 'no') throw new CliError('FAILED', `${file} is not linearizable`)
  if (verdict === 'unknown')
    throw new CliError(
      'FAILED',
      `${file}: no answer within the budget for ${undecided.join(', ')}; try a larger --budget`,
    )
}

/** @throws {CliError} `USAGE` when an operation is none of the model's */
function judge(
  model: Model,
  operations: readonly Operation[],
  options: { readonly budget?: number },
): CheckResult {
  for (const { id, op } of operations) {
    const given = op as { readonly op?: unknown; readonly key?: unknown } | null
    if (typeof given?.op !== 'string' || typeof given.key !== 'string' || !knows(model, op))
      throw usage(`call ${String(id)}: ${JSON.stringify(op)} is no operation of ${model.name}`)
  }
  return checkLinearizable(model, operations, options)
}

function isMove(op: unknown): boolean {
  return MOVES.has((op as { readonly op?: unknown } | null)?.op)
}

function knows(model: Model, op: unknown): boolean {
  return (model.step(model.init(), op, undefined) as object | null | undefined) !== undefined
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw usage(`there is no file ${file} that can be read`, { cause })
  }
}

function parse(file: string, text: string): ParsedHistory {
  try {
    return parseHistory(text)
  } catch (thrown) {
    if (thrown instanceof HistoryError) throw usage(`${file}, ${thrown.message}`, { cause: thrown })
    throw thrown
  }
}

function modelOf(name: string | undefined): Model {
  if (name === undefined)
    throw usage('the history does not say of what it is: --model kv, or --model register')
  const model = MODELS[name]
  if (model === undefined)
    throw usage(`there is no model ${name}; there are ${Object.keys(MODELS).join(', ')}`)
  return model
}

function sentence(
  { verdict, operations, keys, undecided, counterExample }: CheckResult,
  model: Model,
): string {
  const what = `${String(operations)} operations on ${String(keys)} keys`
  if (verdict === 'yes') return `linearizable: ${what}`
  if (counterExample === null) return `unknown: ${what}; too hard within the budget: ${undecided.join(', ')}`
  const lines = counterExample.operations.map(
    ({ client, op, result, call, return: end, outcome }) =>
      `  ${client.padEnd(6)} ${String(call)} – ${end === Infinity ? '…' : String(end)}  ${model.describe?.(op, result) ?? JSON.stringify(op)}${outcome === 'unknown' ? ' (unknown)' : ''}`,
  )
  return [`not linearizable: ${what}; no order explains these on ${counterExample.key}`, ...lines].join('\n')
}
