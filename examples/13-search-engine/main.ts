// A search engine. MapReduce makes the index of a book, a sharded store serves it, and questions are answered while a group of
// servers joins and a machine dies. Your own question: npm run example 13 -- 'white whale'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { run } from '@lab/mapreduce'
import { Clerk as ControllerClerk, type Config } from '@lab/shardctrler'
import { Clerk, valueText } from '@lab/shardkv/clerk'
import { chapters } from '../shared/moby-dick.ts'
import { freeAddresses } from '../shared/ports.ts'
import { transport } from '../shared/shard-machine.ts'
import { transportName } from '../shared/transport.ts'
import { startMachines } from './machines.ts'
import { search } from './search.ts'
import { keyOf, load } from './store.ts'

const { positionals } = parseArgs({ options: { transport: { type: 'string' } }, allowPositionals: true })
const questions = positionals.length > 0 ? positionals : ['white whale', 'Queequeg harpoon', 'doubloon']
const folder = mkdtempSync(join(tmpdir(), 'search-engine-'))

// 1. The index, by MapReduce: in worker processes or, without sockets, in threads.
const index = new Map<string, string>()
const result = await run(new URL('job.ts', import.meta.url), {
  input: chapters(import.meta.url),
  output: join(folder, 'index'),
  mode: transportName === 'memory' ? 'threads' : 'cluster',
  transport: transportName === 'websocket' ? 'websocket' : 'tcp',
  workers: 2,
})
for await (const [word, hits] of result) index.set(word, hits)
console.log(`MapReduce: ${index.size} words in ${result.manifest.parts.length} parts`)

// 2. Three machines with two groups of shards take it: one key for each word.
const members = await freeAddresses(['m1', 'm2', 'm3'])
const servers = Object.values(members)
const machines = await startMachines({ members, folder, groups: [100, 101], shards: 16 })
const controller = await ControllerClerk.connect({ servers, transport })
const clerk = await Clerk.connect({ controllers: servers, transport })

await load(clerk, index)
const letters = ({ shards }: Config): string => shards.map((gid) => 'ABC'.charAt(gid - 100)).join('')
console.log(`the store: ${letters(clerk.config)}, a letter for the group of each of its 16 shards`)

const answer = async (question: string): Promise<string> => {
  const [best, ...others] = await search(clerk, question)
  return best === undefined ? 'in no chapter' : `chapter ${[best, ...others.slice(0, 4)].join(', ')}`
}
const answers = new Map<string, string>()
for (const question of questions) answers.set(question, await answer(question))
for (const [question, found] of answers) console.log(`${question}: ${found}`)

// 3. Readers ask on, whatever happens to the machines.
let isOver = false
let wrong = 0
const readers = questions.map(async (question) => {
  while (!isOver) {
    if ((await answer(question)) !== answers.get(question)) wrong++
    await sleep(5)
  }
})

// 4. A group joins, and while shards are on their way to it a machine dies.
await Promise.all([...machines.values()].map((machine) => machine.startGroup(102)))
const num = await controller.join({ 102: servers })
await machines.get('m2')?.kill()
console.log('group C joins; kill -9 m2')
const hasMoved = async (): Promise<boolean> => {
  const { finished } = await controller.progress()
  return [100, 101, 102].every((gid) => (finished[gid] ?? 0) >= num)
}
while (!(await hasMoved())) await sleep(20)
isOver = true
await Promise.all(readers)
console.log(`the store: ${letters(await controller.query())}; wrong answers meanwhile: ${wrong}`)

// 5. Nothing is lost: all of it, read back from where it is now.
const found = new Map<string, string>()
for await (const { key, value } of clerk.entries({})) found.set(valueText(key), valueText(value))
const same = [...index].filter(([word, hits]) => found.get(keyOf(word)) === hits).length
console.log(`${same} of ${found.size} words are in the store as MapReduce made them`)

await Promise.all([clerk.close(), controller.close()])
await Promise.all([...machines.values()].map((machine) => machine.kill()))
rmSync(folder, { recursive: true, force: true })
