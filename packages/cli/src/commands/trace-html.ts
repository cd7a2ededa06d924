/** `lab trace html`: a trace as one page that opens from a file. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { TraceEvent } from '@lab/rpc'
import { htmlPage, parseFilter } from '@lab/trace'
import type { Io } from '../io.ts'
import { pageScript } from '../page-script.ts'
import { usage } from '../parse.ts'
import { openStory } from '../trace-input.ts'

export interface HtmlFlags {
  readonly out?: string
  readonly filter?: string
}

/** More would make a page that takes long to open and megabytes by the hundred. */
const EVENTS_MAX = 200_000

/** @throws {CliError} `USAGE` when the trace is too long for a page */
export async function html(paths: readonly string[], { out, filter = '' }: HtmlFlags, io: Io): Promise<void> {
  const watch = parseFilter(filter)()
  const { nodes, what, story } = await openStory(paths, io)
  const events: TraceEvent[] = []
  let first: number | null = null
  for await (const timed of story) {
    first ??= timed.time
    if (!watch(timed)) continue
    if (events.length === EVENTS_MAX)
      throw usage(`a page holds at most ${EVENTS_MAX} events: take fewer with --filter 'within:10s'`)
    // In the page all files share one scale of time.
    events.push({ ...timed.event, t: timed.time - first })
  }
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64')
  const page = htmlPage({ title: what, data: { nodes, events }, script: await pageScript(), sha256 })
  if (out === '-') {
    await io.out(page)
    return
  }
  const file = out ?? `${basename(paths[0] ?? 'trace').replace(/\.jsonl(\.gz)?$/, '')}.html`
  await writeFile(file, page)
  io.talk(`${file}: ${events.length} events, ${(page.length / 1e6).toFixed(1)} MB; open it in a browser`)
}
