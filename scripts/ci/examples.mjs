// Runs every example on every transport and compares what it prints with its expected.txt (or expected.<transport>.txt).
// UPDATE=1 writes expected.txt anew, from the first transport: read the difference as a reviewer would.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { examples } from '../lib/examples.mjs'
import { normalise } from '../lib/normalise.mjs'
import { sourceEnvironment } from '../lib/run-source.mjs'

const TRANSPORTS = ['memory', 'tcp', 'websocket']
const update = process.env.UPDATE === '1'
let failed = 0

for (const example of examples()) {
  const { transports = TRANSPORTS, arguments: more = [] } = manifestOf(example)
  for (const [at, transport] of transports.entries()) {
    const args = ['--transport', transport, ...more]
    if (!passes(example, { transport, args, write: update && at === 0 })) failed++
  }
}
process.exit(failed === 0 ? 0 : 1)

/** An example's package.json may name its own transports, and arguments with which it ends by itself. */
function manifestOf({ directory }) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
}

function passes({ folder, directory }, { transport, args, write }) {
  const started = performance.now()
  const options = { encoding: 'utf8', timeout: 60_000, env: sourceEnvironment(), killSignal: 'SIGKILL' }
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(directory, 'main.ts'), ...args],
    options,
  )
  const own = join(directory, `expected.${transport}.txt`)
  const file = existsSync(own) ? own : join(directory, 'expected.txt')
  const printed = normalise(stdout)
  if (write && status === 0) writeFileSync(file, printed)
  const expected = existsSync(file) ? readFileSync(file, 'utf8') : '(there is no expected.txt)\n'
  const time = `${((performance.now() - started) / 1000).toFixed(1)} s`
  if (status === 0 && printed === expected) {
    console.log(`ok  ${folder} --transport ${transport}  ${time}`)
    return true
  }
  console.log(`FAILED  ${folder} --transport ${transport}  ${time}, exit ${status}`)
  console.log(`--- expected\n${expected}--- printed\n${printed}--- stderr\n${stderr}`)
  return false
}
