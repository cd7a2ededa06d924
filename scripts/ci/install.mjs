// What a stranger does. In an empty folder outside the checkout, `npm install` of the tarballs of @lab/rpc and @lab/raft and
// of nothing else, then a cluster from an ES module, one from CommonJS, and a type check. In another, all tarballs, and the
// commands of `lab`: a store, a sharded one, a job in TypeScript, a student's Raft, a seed.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../lib/root.mjs'

const programs = join(root, 'scripts', 'ci', 'install')
const packs = join(root, 'packs')
/** Where commands run. */
let directory = ''

inNewFolder(/^lab-(rpc|raft)-\d/, () => {
  expectOnly(join(directory, 'node_modules'), ['.package-lock.json', '@lab'])
  expectOnly(join(directory, 'node_modules', '@lab'), ['raft', 'rpc'])
  console.log('ok  node_modules holds @lab/rpc, @lab/raft and nothing else')

  for (const program of ['cluster.mjs', 'single.cjs']) console.log(run(process.execPath, [program]).trim())
  // With the compiler of this checkout, and with the oldest that the types are promised for.
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  for (const project of ['tsconfig.nodenext.json', 'tsconfig.bundler.json']) {
    run(process.execPath, [tsc, '-p', project])
    console.log(`ok  consumer.ts with ${project}`)
  }
  run('npx', ['--yes', '--package', 'typescript@5.8.3', 'tsc', '-p', 'tsconfig.nodenext.json'])
  console.log('ok  consumer.ts with TypeScript 5.8')
})

inNewFolder(/^lab-/, () => {
  const lab = (line, wanted = /^/) => {
    const printed = run('npx', ['--no-install', 'lab', ...line.split(' ')])
    if (!wanted.test(printed)) fail(`lab ${line}`, `${printed}\nwanted ${wanted}`)
    console.log(`ok  lab ${line}`)
  }
  lab('--version', /^\d+\.\d+\.\d+\n$/)
  for (const [more, status] of [
    ['', 'cluster status'],
    [' --tls', 'cluster status'],
    [' --groups 2 --shards 8', 'shard status'],
  ]) {
    lab(`up --detach${more}`)
    try {
      lab('kv put greeting hello')
      lab('kv get greeting', /^hello\n$/)
      lab(status, /n1|serving/)
    } finally {
      lab('down')
      rmSync(join(directory, '.lab'), { recursive: true })
    }
  }
  for (const mode of ['threads', 'cluster']) {
    lab(`mr run count.ts --input count.ts --out out-${mode} --mode ${mode}`)
    lab(`mr cat out-${mode}`, /^export\t1$/m)
  }
  lab('grade raft.ts --part 2A --seeds 1', /passed/i)
  lab('sim run --seeds 2')
})

/** @param {RegExp} names of the tarballs that are installed */
function inNewFolder(names, act) {
  directory = mkdtempSync(join(tmpdir(), 'lab-install-'))
  try {
    const tarballs = readdirSync(packs).filter((name) => names.test(name))
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
    run('npm', [
      'install',
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      ...tarballs.map((name) => join(packs, name)),
    ])
    for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(directory, name))
    act()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function run(program, args) {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const options = { cwd: directory, encoding: 'utf8', timeout: 120_000, env }
  const { status, stdout, stderr } = spawnSync(program, args, options)
  if (status !== 0) {
    fail(`${program} ${args.join(' ')}`, `${stdout}${stderr}`)
  }
  return stdout
}

function fail(what, output) {
  throw new Error(`FAILED  ${what}\n${output}`)
}

function expectOnly(folder, wanted) {
  const found = readdirSync(folder).sort()
  if (found.join() === wanted.join()) return
  throw new Error(`${folder} holds ${found.join(', ')}; wanted ${wanted.join(', ')}`)
}
