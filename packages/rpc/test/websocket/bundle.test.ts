import { build } from 'esbuild'
import { expect, test } from 'vitest'

async function bundleForBrowser(entry: string): Promise<string> {
  const result = await build({
    stdin: { contents: entry, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['@lab/source'],
    logLevel: 'silent',
  })
  return result.outputFiles[0]?.text ?? ''
}

test.each(['@lab/rpc/websocket', '@lab/rpc/websocket/browser'])(
  'a page that uses @lab/rpc and %s gets neither Node nor ws',
  async (websocket) => {
    const code = await bundleForBrowser(
      `import * as rpc from '@lab/rpc'; import { webSocket } from '${websocket}'; console.log(rpc, webSocket())`,
    )
    expect(code).toContain('binaryType')
    expect(code).not.toMatch(/["']node:/)
    expect(code).not.toMatch(/\bimport\s*\(|\brequire\s*\(/)
  },
)
