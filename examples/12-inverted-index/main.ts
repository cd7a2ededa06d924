// An inverted index of the chapters of Moby-Dick, or of your files: main.ts --input 'notes/*.md'. On a terminal it asks for words.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { run } from '@lab/mapreduce'
import { chapters } from '../shared/moby-dick.ts'

const { values } = parseArgs({ options: { input: { type: 'string' } }, strict: false })
const input = typeof values.input === 'string' ? values.input : chapters(import.meta.url)

const folder = mkdtempSync(join(tmpdir(), 'index-'))
const result = await run(new URL('job.ts', import.meta.url), {
  input,
  output: join(folder, 'out'),
  workers: 2,
})
const index = new Map<string, readonly string[]>()
for await (const [word, files] of result) index.set(word, files.split(' '))
rmSync(folder, { recursive: true, force: true })
console.log(`${index.size} words indexed`)

/** The files that hold every one of these words. */
function search(words: readonly string[]): readonly string[] {
  const lists = words.map((word) => index.get(word.toLowerCase()) ?? [])
  return lists.reduce((found, list) => found.filter((file) => list.includes(file)))
}

const show = (query: string): void => {
  const words = query.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return
  const found = search(words)
  console.log(
    `${words.join(' and ')}: ${found.length} files${found.length === 0 ? '' : `, ${found.slice(0, 5).join(' ')}`}`,
  )
}

for (const query of ['whale', 'Queequeg harpoon', 'doubloon Pip', 'steamboat captain', 'hashtag']) show(query)

if (process.stdin.isTTY) {
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  prompt.setPrompt('words? ')
  prompt.prompt()
  for await (const query of prompt) {
    if (query.trim() === '') break
    show(query)
    prompt.prompt()
  }
  prompt.close()
}
