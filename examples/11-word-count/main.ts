// MapReduce on this machine: the same job in threads, then in worker processes of which each may die.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, testJob } from '@lab/mapreduce'
import { chapters } from '../shared/moby-dick.ts'
import job from './job.ts'

// A job is tested without an engine.
const { output } = await testJob(job, ['Call me Ishmael.', 'Call it fate.'])
console.log(output.map(([word, count]) => `${word} ${count}`).join(', '))

const folder = mkdtempSync(join(tmpdir(), 'word-count-'))
const input = chapters(import.meta.url)
const module = new URL('job.ts', import.meta.url)

const counts = new Map<string, number>()
const result = await run(module, { input, output: join(folder, 'threads'), workers: 2 })
for await (const [word, count] of result) counts.set(word, Number(count))

const { manifest } = result
console.log(`${counts.size} different words, in ${manifest.parts.length} parts`)
const top = [...counts].sort(([, a], [, b]) => b - a).slice(0, 5)
console.log(top.map(([word, count]) => `${word} ${count}`).join(', '))
console.log(`whale ${counts.get('whale') ?? 0}, Ahab ${counts.get('Ahab') ?? 0}`)

// Two processes, over TCP. The parts are the same, byte by byte.
const again = await run(module, { input, output: join(folder, 'cluster'), mode: 'cluster', workers: 2 })
const isSame = again.manifest.parts.every(({ crc }, at) => crc === manifest.parts[at]?.crc)
console.log(`in processes: ${isSame ? 'the same, byte by byte' : 'something else'}`)

rmSync(folder, { recursive: true, force: true })
