/** A KV server from its start to its end, in this process. */
import { once } from 'node:events'
import { KvServer, type KvServerOptions } from '@lab/kvraft'
import type { Logger } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { formatRow, type Format } from '../output.ts'
import { openTraceFile, type TraceFile } from '../trace-file.ts'
import { allTransports } from '../transports.ts'
import type { ServerConfig } from './config.ts'

export interface RunOptions {
  readonly format: Format
  readonly logger: Logger
  readonly trace?: string | undefined
  readonly traceKinds?: ReadonlySet<string> | undefined
  readonly whileStdin?: boolean | undefined
  readonly token?: string | undefined
  readonly insecure?: boolean | undefined
}

/** Serves until told to stop: by a signal, by the end of standard input, or by a disk that fails. */
export async function runServer(config: ServerConfig, options: RunOptions, io: Io): Promise<void> {
  const { id, clusterId, data, members, join } = config
  const what = `lab server kv --id ${id}`
  const nodes = [id]
  const trace =
    options.trace === undefined
      ? null
      : openTraceFile(options.trace, { what, nodes, kinds: options.traceKinds })
  try {
    const server = await KvServer.start(kvOptions(config, options, trace))
    const failed = new Promise<Error>((resolve) => {
      server.node.on('fatal', ({ error }) => resolve(error))
    })
    const { address } = server
    const row = {
      id,
      address,
      cluster: clusterId,
      members: Object.keys(members ?? {}),
      data,
      pid: process.pid,
    }
    const sentence = `${id} serves at ${address} · cluster ${clusterId}${join === undefined ? ` of ${row.members.join(' ')}` : ', joining'} · data in ${data} · process ${process.pid}`
    await io.out(formatRow(row, options.format, sentence))
    const reason = await Promise.race([failed, stopAsked(io, options)])
    await server.close()
    if (reason instanceof Error)
      throw new CliError('FAILED', `${id} has stopped: ${reason.message}`, { cause: reason })
    options.logger.info(`stopped: ${reason}`)
  } finally {
    trace?.close()
  }
}

function kvOptions(config: ServerConfig, options: RunOptions, trace: TraceFile | null): KvServerOptions {
  const { id, members, join, clusterId, data, listen } = config
  const { logger, token, insecure } = options
  return {
    ...{ id, clusterId, logger, transports: allTransports(), storage: fileStorage(data) },
    ...(members === undefined ? {} : { members }),
    ...(join === undefined ? {} : { join }),
    ...(listen === undefined ? {} : { listen }),
    ...(token === undefined ? {} : { token }),
    ...(insecure === true ? { insecure } : {}),
    ...(trace === null ? {} : { trace: trace.sink }),
  }
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
