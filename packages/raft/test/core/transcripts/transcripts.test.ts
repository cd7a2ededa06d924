/**
 * Scenarios as transcripts: what goes in, and everything that comes out. `UPDATE=1` writes them anew; then read the
 * difference as a reviewer would.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runTranscript } from './transcript.ts'

const directory = new URL('testdata/', import.meta.url)
const names = readdirSync(directory).filter((name) => name.endsWith('.txt'))

test.each(names)('%s', (name) => {
  const file = new URL(name, directory)
  const recorded = readFileSync(file, 'utf8')
  const now = runTranscript(recorded)
  if (process.env['UPDATE'] === '1') writeFileSync(file, now)
  else expect(now).toBe(recorded)
})

test('a transcript that says otherwise than the servers fails', () => {
  const wrong = 'servers A B C\n----\nnothing\n\ntimeout A\n----\nA leader\n'
  expect(runTranscript(wrong)).not.toBe(wrong)
})
