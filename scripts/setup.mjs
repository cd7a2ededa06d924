// Installs the dependencies of the workspace; `npm start` and `npm test` call it first.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { dirname, join } from 'node:path'

const PNPM = 'pnpm@12.21.0'
const NODE_MIN = [20, 19]
const root = dirname(dirname(fileURLToPath(import.meta.url)))

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  console.error(`setup: needs Node ≥ ${NODE_MIN.join('.')}, this is ${process.versions.node}`)
  process.exit(1)
}

// An unchanged lockfile that is installed already costs a hash, not a second of pnpm.
const stamp = join(root, 'node_modules', '.lab-setup')
const wanted = createHash('sha256')
  .update(PNPM)
  .update(readFileSync(join(root, 'pnpm-lock.yaml')))
  .update(readFileSync(join(root, 'pnpm-workspace.yaml')))
  .update(readFileSync(join(root, 'package.json')))
  .digest('hex')
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) process.exit(0)

console.error('setup: installing dependencies (once; about half a minute on a new machine) …')
const { status, stdout, stderr } = spawnSync(
  'npx',
  ['--yes', '--prefer-offline', PNPM, 'install', '--frozen-lockfile', '--prefer-offline'],
  { cwd: root, encoding: 'utf8', shell: process.platform === 'win32', env: { ...process.env, CI: 'true' } },
)
if (status !== 0) {
  console.error(stdout)
  console.error(stderr)
  console.error(
    'setup: the installation failed; the lines above say why. Once mended, run the command again.',
  )
  process.exit(1)
}
mkdirSync(dirname(stamp), { recursive: true })
writeFileSync(stamp, wanted)
