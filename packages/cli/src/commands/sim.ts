/** `lab sim`: servers on simulated machines, seed by seed. What the subcommands do stands in ../sim/. */
import { Option, type Command } from 'commander'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, type Format } from '../output.ts'
import { parseAmount, parseCount, parseNumber } from '../parse.ts'
import { campaign } from '../sim/campaign.ts'
import { replay } from '../sim/replay.ts'
import { runSeeds } from '../sim/run-seeds.ts'
import { SCENARIO_NAMES } from '../sim/scenarios.ts'
import { work } from '../sim/seed-worker.ts'
import { shrinkSeed } from '../sim/shrink-seed.ts'

const EXAMPLES = `
  lab sim run                                          100 seeds of the key/value store, with faults
  lab sim run --scenario raft --seeds 1000 --nodes 5   of Raft alone, five servers
  lab sim run --hours 24                               until a day of virtual time has passed, on all cores
  lab sim replay --seed 17 --trace 17.jsonl            one seed again, and what happened, event by event
  lab sim shrink --seed 17                             the fewest faults, operations and servers that still fail`

export interface SimFlags {
  readonly scenario: string
  readonly nodes?: number
  readonly seconds?: number
  readonly output: Format
}

export interface RunFlags extends SimFlags {
  readonly seeds: number
  readonly from: number
  readonly hours?: number
  readonly workers?: number
}

export interface ReplayFlags extends SimFlags {
  readonly seed?: number
  readonly plan?: string
  readonly trace?: string
  readonly history?: string
}

export interface ShrinkFlags extends SimFlags {
  readonly seed?: number
  readonly plan?: string
  readonly out?: string
}

export function addSimCommands(program: Command, io: Io): void {
  const sim = withExamples(program.command('sim').description('run servers on simulated machines'), EXAMPLES)
  const simulated = (command: Command): Command =>
    command
      .addOption(new Option('--scenario <name>', 'what runs').choices(SCENARIO_NAMES).default('kv'))
      .addOption(new Option('--nodes <count>', 'servers (default: drawn by the seed)').argParser(parseCount))
      .addOption(
        new Option('--seconds <count>', 'of clients and faults, in virtual time (default: 4)').argParser(
          parseCount,
        ),
      )
  const command = (name: string, description: string): Command =>
    simulated(withExamples(addOutputOption(sim.command(name).description(description)), EXAMPLES))
  const seed = new Option('--seed <number>', 'which').argParser(parseNumber)
  const plan = new Option('--plan <file>', 'a plan that shrink wrote, instead of a seed')

  command('run', 'run many seeds')
    .addOption(new Option('--seeds <count>', 'how many').argParser(parseCount).default(100))
    .addOption(new Option('--from <number>', 'the first').argParser(parseNumber).default(1))
    .addOption(
      new Option('--hours <number>', 'go on for so much virtual time, in several processes').argParser(
        parseAmount,
      ),
    )
    .addOption(
      new Option('--workers <count>', 'processes (default: one for each core)').argParser(parseCount),
    )
    .action((flags: RunFlags) => (flags.hours === undefined ? runSeeds(flags, io) : campaign(flags, io)))
  simulated(sim.command('work', { hidden: true })).action((flags: SimFlags) => work(flags, io))
  command('replay', 'run one seed again')
    .addOption(seed)
    .addOption(plan)
    .addOption(new Option('--trace <file>', 'write what happened, for lab trace'))
    .addOption(new Option('--history <file>', 'write what clients saw, for lab check'))
    .action((flags: ReplayFlags) => replay(flags, io))
  command('shrink', 'find the smallest plan that fails in the same way')
    .addOption(seed)
    .addOption(plan)
    .addOption(new Option('--out <file>', 'where the plan goes (default: .lab/sim/SCENARIO-SEED.plan.json)'))
    .action((flags: ShrinkFlags) => shrinkSeed(flags, io))
}
