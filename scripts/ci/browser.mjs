// Bundles what must work in a browser, from the built packages, and refuses a bundle that still imports something.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from '../lib/root.mjs'

const ENTRIES = [
  '@lab/rpc',
  '@lab/rpc/memory',
  '@lab/rpc/websocket',
  '@lab/raft',
  '@lab/raft/storage/memory',
  '@lab/kvraft/clerk',
  '@lab/shardctrler/clerk',
]

// Inside the checkout, where the names of the packages resolve.
const directory = mkdtempSync(join(root, 'node_modules', '.lab-browser-'))
let failed = false
try {
  for (const entry of ENTRIES) {
    const file = join(directory, 'entry.mjs')
    writeFileSync(file, `export * from ${JSON.stringify(entry)}\n`)
    failed = !(await bundles(entry, file)) || failed
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)

async function bundles(entry, file) {
  const options = { bundle: true, minify: true, write: false, logLevel: 'silent', metafile: true }
  const target = { platform: 'browser', format: 'esm', target: 'es2022' }
  try {
    const { outputFiles, metafile } = await build({ entryPoints: [file], ...options, ...target })
    const left = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
    const kilobytes = (gzipSync(outputFiles[0].contents).length / 1000).toFixed(1)
    console.log(
      `${entry.padEnd(26)} ${kilobytes.padStart(5)} kB min+gz${left.length > 0 ? `  imports ${left}` : ''}`,
    )
    return left.length === 0
  } catch (error) {
    console.log(`${entry}: ${error.message}`)
    return false
  }
}
