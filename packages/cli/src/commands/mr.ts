/** `lab mr`: MapReduce. What the subcommands do stands in ../mr/. */
import type { StreamRole } from '@lab/mapreduce'
import { Argument, Option, type Command } from 'commander'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addJobOptions, parameterOption } from '../mr/flags.ts'
import { cat, showStatus } from '../mr/look.ts'
import { coordinate, runJob, type CoordinatorFlags, type RunFlags } from '../mr/run.ts'
import { slurmTask } from '../mr/slurm-task.ts'
import { submit, type SlurmFlags } from '../mr/slurm.ts'
import { runStream, STREAM_ROLES, type StreamFlags } from '../mr/stream.ts'
import { work, type WorkerFlags } from '../mr/worker.ts'
import { addOutputOption, type Format } from '../output.ts'
import { parseCount, parseDuration } from '../parse.ts'

const EXAMPLES = `
  lab mr run job.ts --input 'books/*.txt' --out out --workers 4    on this machine, in threads
  lab mr run job.ts --input big.csv --out out --mode cluster       in processes, of which each may die
  lab mr cat out                                                   all results, in the order of keys
  lab mr coordinator job.ts --input 'logs/*' --out out             for workers anywhere; says how to start them
  lab mr worker --join tcp://10.0.0.1:7000 --slots 8               such a worker; LAB_MR_SECRET holds the secret
  lab mr status out                                                how far the job is that writes to this folder
  cat books/* | lab mr stream map job.ts | LC_ALL=C sort | lab mr stream reduce job.ts      as Hadoop Streaming does
  lab mr slurm job.ts -N 8 --insecure --input 'logs/*' --out out -- --time=1:00:00    as a step of a Slurm cluster`

export function addMrCommands(program: Command, io: Io): void {
  const mr = withExamples(program.command('mr').description('run MapReduce jobs'), EXAMPLES)
  const command = (name: string, description: string): Command =>
    withExamples(mr.command(name).description(description), EXAMPLES)
  const heap = new Option('--heap <mb>', "what a task's heap may grow to").argParser(parseCount)
  const insecure = new Option('--insecure', 'let other machines in although nothing is encrypted')
  const force = new Option('--force', 'remove the output of an earlier job first')
  const page = new Option('--page [port]', 'show how far it is to browsers of this machine').argParser(
    parseCount,
  )
  const trace = new Option('--trace <file>', 'write what became of each task, for lab trace')

  addOutputOption(addJobOptions(command('run <job>', 'run a job on this machine')))
    .addOption(
      new Option('--workers <count>', 'threads or processes (default: one for each core)').argParser(
        parseCount,
      ),
    )
    .addOption(
      new Option('--mode <mode>', 'where tasks run')
        .choices(['local', 'threads', 'cluster'])
        .default('threads'),
    )
    .addOption(
      new Option('--transport <transport>', 'what worker processes talk by').choices(['tcp', 'websocket']),
    )
    .addOption(heap)
    .addOption(force)
    .addOption(page)
    .addOption(trace)
    .action((job: string, flags: RunFlags) => runJob(job, flags, io))
  addOutputOption(addJobOptions(command('coordinator <job>', 'coordinate a job for workers elsewhere')))
    .option('--listen <url>', 'where workers join (default: a free port of this machine alone)')
    .addOption(insecure)
    .addOption(force)
    .addOption(page)
    .addOption(trace)
    .action((job: string, flags: CoordinatorFlags) => coordinate(job, flags, io))
  command('worker', 'take tasks of a job until it is over')
    .requiredOption('--join <url>', "the coordinator's address, or the job's output folder")
    .addOption(new Option('--slots <count>', 'tasks at a time').argParser(parseCount).default(1))
    .option('--job <file>', "the job's module, when it is elsewhere than on the coordinator's machine")
    .option('--dir <folder>', 'for map outputs (default: for temporary files)')
    .option('--listen <url>', 'where other workers fetch map outputs')
    .addOption(insecure)
    .addOption(heap)
    .addOption(
      new Option('--patience <time>', 'gives up without a coordinator for longer').argParser(parseDuration),
    )
    .action((flags: WorkerFlags) => work(flags, io))
  addOutputOption(
    addJobOptions(
      command(
        'slurm <job> [options...]',
        'a job as a step of a Slurm cluster; options after -- are for srun',
      ),
    ),
  )
    .addOption(
      new Option('-N, --nodes <count>', 'of the cluster').argParser(parseCount).makeOptionMandatory(),
    )
    .addOption(
      new Option('-n, --tasks <count>', 'one coordinates, the others work (default: one a node)').argParser(
        parseCount,
      ),
    )
    .addOption(new Option('--slots <count>', 'what a worker does at a time').argParser(parseCount).default(1))
    .option('--listen <url>', "where each listens, %h being its node's name (default: tcp://%h:0)")
    .addOption(insecure)
    .addOption(heap)
    .addOption(force)
    .addOption(page)
    .addOption(trace)
    .action((job: string, options: readonly string[], flags: SlurmFlags) => submit(job, options, flags, io))
  mr.command('slurm-task', { hidden: true }).action(() => slurmTask(io))
  addOutputOption(
    command('status <job>', "how far a job is: by the coordinator's address or the output folder"),
  ).action((where: string, flags: { readonly output: Format }) => showStatus(where, flags, io))
  addOutputOption(command('cat <folder>', 'the results of a job that is done, in the order of keys')).action(
    (folder: string, flags: { readonly output: Format }) => cat(folder, flags, io),
  )
  command('stream', "a job's mapper, combiner or reducer on standard input and output, for Hadoop Streaming")
    .addArgument(new Argument('<role>', 'which of them').choices(STREAM_ROLES))
    .argument('<job>')
    .addOption(parameterOption())
    .action((role: StreamRole, job: string, flags: StreamFlags) => runStream(role, job, flags, io))
}
