/** The texts indexed by MapReduce, in worker processes of which one is killed on the way. */
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run, type JobStatus } from '@lab/mapreduce'
import { grouped } from './format.ts'
import type { Text } from './texts.ts'

export interface IndexOptions {
  readonly transport: 'tcp' | 'websocket'
  /** For what MapReduce writes; removed at the end. */
  readonly folder: string
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Word → texts that hold it, see index-job.ts. */
export type Index = ReadonlyMap<string, string>

const WORKERS = 2
/** So many words are stored: of a larger vocabulary those that stand in most texts. */
const WORDS_MAX = 20_000
const KILL_AT_SHARE = 1 / 4
/** Worker processes run from the sources, as this one does. */
const HOOKS = new URL('../../scripts/register-source.mjs', import.meta.url)

export async function makeIndex(
  texts: readonly Text[],
  { transport, folder, say, signal }: IndexOptions,
): Promise<Index> {
  const work = join(folder, 'index')
  rmSync(work, { recursive: true, force: true })
  const names = Object.fromEntries(
    texts.map(({ name, path }) => [path, basename(name).replaceAll(/\s/g, '_')]),
  )
  say(`MapReduce: ${WORKERS} worker processes index ${grouped(texts.length)} texts`)
  const kill = killOnce(say)
  const result = await run(new URL('index-job.ts', import.meta.url), {
    input: texts.map(({ path }) => path),
    parameters: { names: JSON.stringify(names) },
    ...{ transport, signal, mode: 'cluster', workers: WORKERS, durable: false },
    output: join(work, 'output'),
    spillFolder: join(work, 'spill'),
    execArgv: ['--import', HOOKS.href],
    onProgress: kill,
  })
  const words: [string, string][] = []
  for await (const [word, hits] of result) words.push([word, hits])
  rmSync(work, { recursive: true, force: true })
  say(
    `MapReduce: ${grouped(words.length)} words, ${(result.elapsedMs / 1000).toFixed(1)} s with all that was made again`,
  )
  if (words.length <= WORDS_MAX) return new Map(words)
  return new Map(words.sort(([, a], [, b]) => b.length - a.length).slice(0, WORDS_MAX))
}

/** Kills a worker as soon as a part of the maps is done. */
function killOnce(say: (line: string) => void): (status: JobStatus) => void {
  let isDone = false
  return ({ map, workers: [victim] }) => {
    const isTime = map.completed >= map.tasks * KILL_AT_SHARE && map.completed < map.tasks
    if (isDone || victim === undefined || !isTime) return
    isDone = true
    process.kill(victim.pid, 'SIGKILL')
    say(`kill -9 ${victim.pid}, one of the workers; ${map.completed} of ${map.tasks} maps are done`)
  }
}
