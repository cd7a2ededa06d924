// Equal seeds give equal traces, byte by byte, on every Node that we support: the hash of one seed of each scenario of `lab sim`, by this
// Node and by others that npx can bring, against the one that is committed. `--write` writes what this Node finds: for whoever changed
// on purpose what servers do or tell.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/root.mjs'

const FILE = join(root, 'test', 'shared', 'trace-hashes.json')
const OTHERS = ['20', '22', '24']

const committed = JSON.parse(readFileSync(FILE, 'utf8'))
const scenarios = Object.keys(committed.hashes)
if (process.argv.includes('--write')) {
  writeFileSync(FILE, `${JSON.stringify({ ...committed, hashes: hashesBy(process.execPath) }, null, 2)}\n`)
} else process.exitCode = compare() ? 0 : 1

function compare() {
  let same = true
  for (const [version, node] of nodes()) {
    const found = hashesBy(node)
    const wrong = scenarios.filter((name) => found[name] !== committed.hashes[name])
    for (const name of wrong)
      console.log(`Node ${version}: ${name} is ${found[name]}, not ${committed.hashes[name]}`)
    if (wrong.length === 0) console.log(`Node ${version}: ${scenarios.join(', ')} as committed`)
    same &&= wrong.length === 0
  }
  if (!same) console.log('where that is right: node scripts/ci/hashes.mjs --write')
  return same
}

/** By version, of each line the newest that can be had. */
function nodes() {
  const found = new Map([[process.version, process.execPath]])
  for (const major of OTHERS) {
    try {
      const program = `console.log(process.version + ' ' + process.execPath)`
      const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 240_000 }
      const [version, path] = execFileSync('npx', ['-y', `node@${major}`, '-e', program], options)
        .trim()
        .split(' ')
      found.set(version, path)
    } catch {
      console.log(`skipped: npx cannot bring Node ${major}`)
    }
  }
  return found
}

function hashesBy(node) {
  return Object.fromEntries(scenarios.map((name) => [name, hashOf(node, name)]))
}

function hashOf(node, scenario) {
  const args = ['sim', 'replay', '--scenario', scenario, '--seed', String(committed.seed), '-o', 'json']
  const out = execFileSync(node, [join(root, 'packages', 'cli', 'bin', 'lab.js'), ...args], {
    encoding: 'utf8',
  })
  return JSON.parse(out).hash
}
