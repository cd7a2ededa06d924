/** Where traces come from: files, folders of them, standard input; plain or gzipped; several as one story. */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { mergeTraces, readTrace, type TimedEvent, type TraceReader } from '@lab/trace'
import type { Io } from './io.ts'
import { usage } from './parse.ts'

export interface Story {
  /** Whom the headers name, sorted. */
  readonly nodes: readonly string[]
  /** What the first header says that ran. */
  readonly what: string
  readonly story: AsyncIterable<TimedEvent>
}

/** @param paths `-` is standard input; of a folder, all trace files in it */
export async function openStory(paths: readonly string[], io: Io): Promise<Story> {
  const traces = await Promise.all(paths.flatMap(traceFiles).map((path) => open(path, io)))
  const nodes = [...new Set(traces.flatMap(({ header }) => header.nodes ?? []))].sort(byName)
  return { nodes, what: traces[0]?.header.what ?? '', story: mergeTraces(traces) }
}

function open(path: string, io: Io): Promise<TraceReader> {
  if (path === '-') return readTrace(wholeInput(io), 'standard input')
  const file = createReadStream(path)
  if (!path.endsWith('.gz')) return readTrace(file, path)
  // An error of either ends the reading with it.
  return readTrace(
    pipeline(file, createGunzip(), () => undefined),
    path,
  )
}

async function* wholeInput(io: Io): AsyncGenerator<Uint8Array, void, undefined> {
  yield await io.readInput()
}

function traceFiles(path: string): string[] {
  if (path === '-') return [path]
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw usage(`there is no file ${path}`)
  if (!stats.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => /\.jsonl(\.gz)?$/.test(name))
  if (names.length === 0) throw usage(`there is no *.jsonl in ${path}`)
  return names.sort().map((name) => join(path, name))
}

/** n2 comes before n10. */
function byName(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1)
}
