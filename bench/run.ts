/** `npm run bench`: finds `*.bench.ts` beside this file, runs them one after the other and prints their tables. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Benchmark, Row } from './benchmark.ts'
import { machineLine } from './machine.ts'
import { findPeers } from './peers.ts'
import { tableLines } from './table.ts'

const HELP = `npm run bench [-- NAME…] [--seconds N] [--size 1GB] [--peers etcd,redis] [--json FILE]

  NAME         only the benchmarks whose file name begins so
  --seconds N  for all of them together; 110 unless told
  --size B     of the input, where there is one, instead of one that fits into the seconds: 256MB, 1GB
  --peers      outside programs to measure beside, when they are on this machine
  --json FILE  the rows, too`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '110' },
    size: { type: 'string' },
    peers: { type: 'string', default: '' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

process.setMaxListeners(0)
// Then servers that were started are ended, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

if (values.help === true) console.log(HELP)
else await runAll()

async function runAll(): Promise<void> {
  const names = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.replace(/\.bench\.ts$/, ''))
    .filter((name) => positionals.length === 0 || positionals.some((wanted) => name.startsWith(wanted)))
    .sort()
  if (names.length === 0) {
    console.error(`npm run bench: no benchmark is named "${positionals.join(' ')}"`)
    process.exitCode = 2
    return
  }

  console.log(machineLine())
  const peers = findPeers(values.peers.split(',').filter((name) => name !== ''))
  const results: Record<string, readonly Row[]> = {}
  const all = await Promise.all(names.map(async (name) => ({ name, benchmark: await load(name) })))
  const chosen = all.filter(({ benchmark }) => positionals.length > 0 || benchmark.byName === undefined)
  for (const { name, benchmark } of chosen) {
    console.log(`\n${benchmark.title}`)
    const seconds = Number(values.seconds) / chosen.length
    const rows = await benchmark.run({
      seconds,
      ...(values.size === undefined ? {} : { bytes: bytesOf(values.size) }),
      peers,
      log: (line) => {
        console.error(`  ${name}: ${line}`)
      },
    })
    for (const line of tableLines(rows)) console.log(`  ${line}`)
    results[name] = rows
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, JSON.stringify({ machine: machineLine(), results }, null, 2))
  }
  const left = all.filter((one) => !chosen.includes(one))
  if (left.length > 0) console.log('\nonly when named:')
  for (const { name, benchmark } of left)
    console.log(`  npm run bench -- ${name}   ${benchmark.byName ?? ''}`)
}

/** `256MB`, `1GB`. */
function bytesOf(size: string): number {
  const [, number, unit] = /^(\d+)(MB|GB)$/.exec(size) ?? []
  if (number === undefined) throw new Error(`--size ${size}: 256MB or 1GB is a size`)
  return Number(number) * (unit === 'GB' ? 1e9 : 1e6)
}

async function load(name: string): Promise<Benchmark> {
  const module = (await import(join(import.meta.dirname, `${name}.bench.ts`))) as { benchmark: Benchmark }
  return module.benchmark
}
