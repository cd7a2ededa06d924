/** `lab server`: one member of a cluster, in this process. */
import { Option, type Command } from 'commander'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, type Format } from '../output.ts'
import { readSwitch, splitList } from '../parse.ts'
import { addTlsOptions, readServerTokens } from '../security.ts'
import { resolveServerConfig, type ServerFlags } from '../server/config.ts'
import { LOG_FORMATS, LOG_LEVELS, serverLogger } from '../server/log.ts'
import { runServer } from '../server/run.ts'

interface Flags extends ServerFlags {
  readonly trace?: string
  readonly traceKinds?: string
  readonly whileStdin?: boolean
  readonly output: Format
}

const EXAMPLES = `
  lab server kv --id n1 --members n1=tcp://localhost:7001 --data ./data/n1
                                 a cluster of one, as durable as one of three

  lab server kv --id n1 --data ./data/n1 \\
    --members n1=tcp://localhost:7001,n2=tcp://localhost:7002,n3=tcp://localhost:7003
                                 the first of three; the same line with n2, with n3

  lab server kv --id m1 --data /var/lib/lab --config lab.json
                                 members from a file that is the same on all machines

  lab server kv --id n4 --data ./data/n4 --listen tcp://localhost:7004 --join tcp://localhost:7001
                                 waits to be added: lab cluster add n4=tcp://localhost:7004`

export function addServerCommands(program: Command, io: Io): void {
  const server = program.command('server').description('run a server')
  const kv = server.command('kv', { isDefault: true }).description('a member of a replicated key/value store')
  withExamples(server, EXAMPLES)
  withExamples(kv, EXAMPLES)
  for (const option of OPTIONS) kv.addOption(option)
  addOutputOption(addTlsOptions(kv)).action((flags: Flags) => serve(flags, io))
}

const OPTIONS = [
  new Option('--id <name>', "this server's name, for ever").env('LAB_ID'),
  new Option('--members <list>', 'ID=ADDRESS,… of the whole cluster; counts for an empty folder only').env(
    'LAB_MEMBERS',
  ),
  new Option('--data <folder>', 'where its log and its snapshots are').env('LAB_DATA'),
  new Option('--listen <address...>', 'where to listen, when it is not the address in --members').env(
    'LAB_LISTEN',
  ),
  new Option('--join <address...>', 'servers of a cluster that this one is to be added to').env('LAB_JOIN'),
  new Option('--cluster-id <name>', 'servers of another cluster are refused (default: "lab")').env(
    'LAB_CLUSTER_ID',
  ),
  new Option(
    '--config <file>',
    'the cluster file, the same on all machines: {"nodes": {ID: ADDRESS, …}, …}',
  ).env('LAB_CONFIG'),
  new Option('--trace <file>', 'add to this file what happens; see lab trace').env('LAB_TRACE'),
  new Option('--trace-kinds <list>', 'only these kinds of events, such as role,shard.frozen').env(
    'LAB_TRACE_KINDS',
  ),
  new Option('--log <format>', 'of standard error: text or JSON lines').choices(LOG_FORMATS).env('LAB_LOG'),
  new Option('--log-level <level>', 'the least urgent that is told (default: "info")')
    .choices(LOG_LEVELS)
    .env('LAB_LOG_LEVEL'),
  new Option('--tls-clients <whom>', 'who needs a certificate to come in (default: "peers" with --tls-ca)')
    .choices(['none', 'peers', 'all'])
    .env('LAB_TLS_CLIENTS'),
  new Option('--token-file <file>', 'tokens of clients, one a line; or LAB_TOKEN. Alone: of everybody'),
  new Option('--peer-token-file <file>', 'tokens of the other servers; or LAB_PEER_TOKEN'),
  new Option('--admin-token-file <file>', 'tokens of operators; or LAB_ADMIN_TOKEN'),
  new Option('--admin <address>', 'a port for health, metrics and traces: 9090, or HOST:PORT').env(
    'LAB_ADMIN',
  ),
  new Option('--origin <origin...>', 'web pages that may connect, such as https://app.example').env(
    'LAB_ORIGIN',
  ),
  new Option('--insecure', 'listen beyond this machine without encryption or token; or LAB_INSECURE=true'),
  new Option('--while-stdin', 'stop when standard input ends: with whoever started it'),
]

async function serve(flags: Flags, io: Io): Promise<void> {
  const insecure = flags.insecure ?? readSwitch(io.env, 'LAB_INSECURE')
  const config = resolveServerConfig({ ...flags, ...(insecure === undefined ? {} : { insecure }) })
  const { trace, traceKinds, whileStdin, output: format } = flags
  const kinds = traceKinds === undefined ? undefined : new Set(splitList(traceKinds))
  const logger = serverLogger(config.id, config.log, (line) => io.talk(line))
  const token = readServerTokens(config.tokens, io.env)
  await runServer(config, { format, logger, trace, traceKinds: kinds, whileStdin, token }, io)
}
