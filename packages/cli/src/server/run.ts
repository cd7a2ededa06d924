/** A server from its start to its end, in this process. */
import { once } from 'node:events'
import type { Logger } from '@lab/raft'
import { toError, type RoleTokens } from '@lab/rpc'
import type { TlsKeys } from '@lab/rpc/tls'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { formatRow, type Format } from '../output.ts'
import { openTls } from '../security.ts'
import { openTraceFile, type TraceFile } from '../trace-file.ts'
import { ProcessMeter } from './admin/process-families.ts'
import { startAdmin, type AdminServer } from './admin/server.ts'
import { TraceRing } from './admin/trace-ring.ts'
import { collectLater } from './collect-later.ts'
import type { ServerConfig } from './config.ts'
import { handOverLeadership } from './hand-over.ts'
import { host } from './host.ts'
import type { Hosted } from './hosted.ts'
import { renewKeys } from './renew-keys.ts'

export interface RunOptions {
  readonly format: Format
  readonly logger: Logger
  readonly trace?: string | undefined
  readonly traceKinds?: ReadonlySet<string> | undefined
  readonly whileStdin?: boolean | undefined
  readonly token?: string | RoleTokens | undefined
}

/** What the process has besides what it hosts; closed in any case. */
interface Fittings {
  readonly tls: TlsKeys | undefined
  readonly file: TraceFile | null
  readonly ring: TraceRing | null
  close(): void
}

/** So many events are kept for the admin port. */
const RING_EVENTS = 10_000

/** Serves until told to stop: by a signal, by the end of standard input, or by a disk that fails. */
export async function runServer(config: ServerConfig, options: RunOptions, io: Io): Promise<void> {
  collectLater()
  const fittings = fit(config, options)
  const { tls, ring, file } = fittings
  const { logger, token } = options
  try {
    const trace = ring === null ? file?.sink : ring.sink(file?.sink)
    const hosted = await host(config, { logger, token, tls, trace })
    try {
      await live(hosted, { config, options, io, fittings })
    } finally {
      await hosted.close()
    }
  } finally {
    fittings.close()
  }
}

interface Life {
  readonly config: ServerConfig
  readonly options: RunOptions
  readonly io: Io
  readonly fittings: Fittings
}

async function live(hosted: Hosted, { config, options, io, fittings }: Life): Promise<void> {
  const { logger } = options
  const failed = hosted.failed.catch((thrown: unknown) => toError(thrown))
  let stopping = false
  const admin = await openAdmin(hosted, { config, options, io, fittings }, () => stopping)
  try {
    await announce(hosted, config, { format: options.format, io, admin })
    const reason = await Promise.race([failed, stopAsked(io, options)])
    if (reason instanceof Error)
      throw new CliError('FAILED', `${config.id} has stopped: ${reason.message}`, { cause: reason })
    stopping = true
    logger.info(`stopping: ${reason}`)
    await handOverLeadership(hosted.groups(), logger)
  } finally {
    admin?.close()
  }
}

function fit({ id, tls: paths, admin }: ServerConfig, { trace, traceKinds, logger }: RunOptions): Fittings {
  const tls = paths === undefined ? undefined : openTls(paths)
  const stopRenewing = tls === undefined || paths === undefined ? undefined : renewKeys(tls, paths, logger)
  const file =
    trace === undefined
      ? null
      : openTraceFile(trace, { what: `lab server --id ${id}`, nodes: [id], kinds: traceKinds })
  return {
    ...{ tls, file, ring: admin === undefined ? null : new TraceRing(id, RING_EVENTS) },
    close: () => {
      stopRenewing?.()
      file?.close()
    },
  }
}

async function openAdmin(
  hosted: Hosted,
  { config, options, fittings }: Life,
  stopping: () => boolean,
): Promise<AdminServer | null> {
  const { admin: address, insecure } = config
  const { ring, tls } = fittings
  if (address === undefined || ring === null) return null
  const meter = new ProcessMeter()
  const view = { hosted, meter, ring, stopping }
  const server = await startAdmin({ address, view, tls, token: options.token, insecure })
  return {
    url: server.url,
    close: () => {
      meter.close()
      server.close()
    },
  }
}

/** The one line on standard output: it serves. */
async function announce(
  { addresses, summary, row }: Hosted,
  { id, data }: ServerConfig,
  { format, io, admin }: { readonly format: Format; readonly io: Io; readonly admin: AdminServer | null },
): Promise<void> {
  const { pid } = process
  const at = admin === null ? '' : ` · admin at ${admin.url}`
  const sentence = `${id} serves at ${addresses.join(' ')} · ${summary} · data in ${data} · process ${pid}${at}`
  const [address] = addresses
  const all = { id, address, addresses, ...row, data, pid, admin: admin?.url ?? null }
  await io.out(formatRow(all, format, sentence))
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
