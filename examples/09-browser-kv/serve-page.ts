/** What any web server would do: hands out the page and its script, made of page.ts by a bundler. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'

export interface PageServer {
  /** `http://localhost:40004`: the origin that the store's servers let in. */
  readonly origin: string
  close(): void
}

/** @param servers WebSocket addresses of the store, which stand in the page */
export async function servePage(servers: readonly string[]): Promise<PageServer> {
  const { outputFiles } = await build({
    entryPoints: [new URL('page.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2023',
    conditions: ['@lab/source'], // this checkout's sources; an app of yours has the packages' builds
  })
  const html = await readFile(new URL('page.html', import.meta.url), 'utf8')
  const page = html.replace('SERVERS', () => JSON.stringify(servers).replaceAll('"', '&quot;'))
  const policy = `default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src ${servers.join(' ')}`
  const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
    '/': ['text/html', page],
    '/page.js': ['text/javascript', outputFiles[0]?.text ?? ''],
  }
  const server = createServer(({ url = '' }, response) => {
    const [type, body] = files[url] ?? []
    if (type === undefined) response.writeHead(404).end()
    else
      response
        .writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Content-Security-Policy': policy })
        .end(body)
  })
  await once(server.listen(0, 'localhost'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://localhost:${port}`,
    close: () => server.close().closeAllConnections(),
  }
}
