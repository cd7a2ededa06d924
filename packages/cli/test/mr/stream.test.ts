/** `lab mr stream` as people use it: processes and pipes. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { LAB_BIN } from '../../src/own-files.ts'
import { temporaryFolder } from '../folder.ts'

const JOB = fileURLToPath(new URL('apps/words.ts', import.meta.url))
const LETTERS = 'abcdefgh'

test('the programs of a pipeline, with the system’s own sort between them, give what a sequential run gives', () => {
  const folder = temporaryFolder()
  const words = Array.from({ length: 20_000 }, (_, i) => `w${LETTERS.slice((i * i) % 8, (i % 5) + 4)}`)
  const text = words.map((word, i) => `${word}${i % 10 === 9 ? '\n' : ' '}`).join('')
  writeFileSync(join(folder, 'in.txt'), text)
  const lab = (role: string): string => `'${process.execPath}' '${LAB_BIN}' mr stream ${role} '${JOB}'`
  const pipeline = `${lab('map')} < in.txt | LC_ALL=C sort | ${lab('reduce')}`
  const { stdout, stderr, status } = spawnSync('sh', ['-c', pipeline], { cwd: folder, encoding: 'utf8' })

  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  const expected = [...counts].map(([word, count]) => `${word}\t${String(count)}\n`).sort()
  expect({ status, stderr }).toEqual({ status: 0, stderr: 'reporter:counter:words,lines,2000\n' })
  expect(stdout).toBe(expected.join(''))
})
