/**
 * The status page of a job, over HTTP: `/` the page, `/status.json` how far it is, `/events` the same whenever there is news (server-sent
 * events). This machine alone can reach it: elsewhere `ssh -L` brings it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { JobStatus } from '@lab/mapreduce'
import { toError } from '@lab/rpc'
import { CliError } from '../../errors.ts'
import { PAGE } from './page.ts'

const HOST = '127.0.0.1'
const OURS = /^(localhost|127\.0\.0\.1)(:\d+)?$/
const REQUEST_MS = 5_000
const READERS_MAX = 64
/** Nothing from anywhere else: what a job says cannot make the page ask for something. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:"

export class StatusPage {
  readonly #server: Server
  readonly #readers = new Set<ServerResponse>()
  /** JSON, on one line. */
  #status = 'null'

  private constructor() {
    this.#server = createServer(
      { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS },
      (request, response) => {
        this.#answer(request, response)
      },
    )
    this.#server.maxConnections = READERS_MAX
  }

  /** @param port 0 for any @throws {CliError} `FAILED` when the port is taken */
  static async open(port: number): Promise<StatusPage> {
    const page = new StatusPage()
    await new Promise<void>((resolve, reject) => {
      page.#server.once('error', (cause) => {
        reject(new CliError('FAILED', `--page ${String(port)}: ${toError(cause).message}`, { cause }))
      })
      page.#server.listen({ port, host: HOST }, resolve)
    })
    return page
  }

  get url(): string {
    const address = this.#server.address()
    return `http://${HOST}:${String(typeof address === 'object' && address !== null ? address.port : 0)}/`
  }

  /** What readers are shown from now on. */
  show(status: JobStatus): void {
    this.#status = JSON.stringify(status)
    for (const reader of this.#readers) this.#tell(reader)
  }

  /** Whoever reads has what was shown last. */
  close(): void {
    for (const reader of this.#readers) reader.end()
    this.#server.close()
    this.#server.closeIdleConnections()
  }

  #answer({ method, url, headers }: IncomingMessage, response: ServerResponse): void {
    // A page of somebody else's whose name was made to lead here may not read along.
    const status = !OURS.test(headers.host ?? '') ? 403 : method !== 'GET' ? 405 : 200
    const type = TYPES[url ?? '']
    response.writeHead(status === 200 && type === undefined ? 404 : status, {
      'content-type': type ?? 'text/plain',
      'cache-control': 'no-store',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
    })
    if (status !== 200 || type === undefined) response.end()
    else if (url === '/') response.end(PAGE)
    else if (url === '/status.json') response.end(`${this.#status}\n`)
    else this.#follow(response)
  }

  #follow(reader: ServerResponse): void {
    this.#readers.add(reader)
    reader.on('close', () => this.#readers.delete(reader))
    this.#tell(reader)
  }

  #tell(reader: ServerResponse): void {
    // A reader that does not keep up misses what is old by then.
    if (!reader.writableNeedDrain) reader.write(`data: ${this.#status}\n\n`)
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '/': 'text/html; charset=utf-8',
  '/status.json': 'application/json',
  '/events': 'text/event-stream',
}
