/** A server from its start to its end, in this process. */
import { once } from 'node:events'
import type { Logger } from '@lab/raft'
import { toError } from '@lab/rpc'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { formatRow, type Format } from '../output.ts'
import { openTraceFile } from '../trace-file.ts'
import type { ServerConfig } from './config.ts'
import { host } from './host.ts'
import type { Hosted } from './hosted.ts'

export interface RunOptions {
  readonly format: Format
  readonly logger: Logger
  readonly trace?: string | undefined
  readonly traceKinds?: ReadonlySet<string> | undefined
  readonly whileStdin?: boolean | undefined
  readonly token?: string | undefined
}

/** Serves until told to stop: by a signal, by the end of standard input, or by a disk that fails. */
export async function runServer(config: ServerConfig, options: RunOptions, io: Io): Promise<void> {
  const { id } = config
  const { logger, token, trace: path, traceKinds: kinds } = options
  const trace =
    path === undefined ? null : openTraceFile(path, { what: `lab server --id ${id}`, nodes: [id], kinds })
  try {
    const hosted = await host(config, { logger, token, trace: trace?.sink })
    const failed = hosted.failed.catch((thrown: unknown) => toError(thrown))
    await announce(hosted, config, options, io)
    const reason = await Promise.race([failed, stopAsked(io, options)])
    await hosted.close()
    if (reason instanceof Error)
      throw new CliError('FAILED', `${id} has stopped: ${reason.message}`, { cause: reason })
    logger.info(`stopped: ${reason}`)
  } finally {
    trace?.close()
  }
}

/** The one line on standard output: it serves. */
async function announce(
  { addresses, summary, row }: Hosted,
  { id, data }: ServerConfig,
  { format }: RunOptions,
  io: Io,
): Promise<void> {
  const { pid } = process
  const sentence = `${id} serves at ${addresses.join(' ')} · ${summary} · data in ${data} · process ${pid}`
  const [address] = addresses
  await io.out(formatRow({ id, address, addresses, ...row, data, pid }, format, sentence))
}

async function stopAsked({ signal }: Io, { whileStdin }: RunOptions): Promise<string> {
  const signalled = signal.aborted ? Promise.resolve() : once(signal, 'abort')
  const asked = signalled.then(() => 'by a signal')
  if (whileStdin !== true) return asked
  const { stdin } = process
  stdin.resume()
  const ended = new Promise<string>((resolve) => {
    for (const event of ['end', 'close', 'error'])
      stdin.once(event, () => {
        resolve('standard input has ended')
      })
  })
  return Promise.race([asked, ended])
}
