// What a stranger does: an empty folder outside the checkout, `npm install` of the tarballs of @lab/rpc and @lab/raft and
// of nothing else, then a cluster from an ES module, one from CommonJS, and a type check.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../lib/root.mjs'

const programs = join(root, 'scripts', 'ci', 'install')
const packs = join(root, 'packs')
const tarballs = readdirSync(packs)
  .filter((name) => /^lab-(rpc|raft)-\d/.test(name))
  .map((name) => join(packs, name))

const directory = mkdtempSync(join(tmpdir(), 'lab-install-'))
try {
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  run('npm', ['install', '--no-audit', '--no-fund', '--no-update-notifier', ...tarballs])
  expectOnly(join(directory, 'node_modules'), ['.package-lock.json', '@lab'])
  expectOnly(join(directory, 'node_modules', '@lab'), ['raft', 'rpc'])
  console.log('ok  node_modules holds @lab/rpc, @lab/raft and nothing else')

  for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(directory, name))
  for (const program of ['cluster.mjs', 'single.cjs']) console.log(run(process.execPath, [program]).trim())
  // With the compiler of this checkout, and with the oldest that the types are promised for.
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  for (const project of ['tsconfig.nodenext.json', 'tsconfig.bundler.json']) {
    run(process.execPath, [tsc, '-p', project])
    console.log(`ok  consumer.ts with ${project}`)
  }
  run('npx', ['--yes', '--package', 'typescript@5.8.3', 'tsc', '-p', 'tsconfig.nodenext.json'])
  console.log('ok  consumer.ts with TypeScript 5.8')
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function run(program, args) {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const options = { cwd: directory, encoding: 'utf8', timeout: 120_000, env }
  const { status, stdout, stderr } = spawnSync(program, args, options)
  if (status !== 0) {
    console.log(`FAILED  ${program} ${args.join(' ')}\n${stdout}${stderr}`)
    rmSync(directory, { recursive: true, force: true })
    process.exit(1)
  }
  return stdout
}

function expectOnly(folder, wanted) {
  const found = readdirSync(folder).sort()
  if (found.join() === wanted.join()) return
  throw new Error(`${folder} holds ${found.join(', ')}; wanted ${wanted.join(', ')}`)
}
