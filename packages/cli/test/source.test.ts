import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LAB_BIN } from '../src/own-files.ts'
import { temporaryFolder } from './folder.ts'

const hooks = new URL('../../../scripts/register-source.mjs', import.meta.url).href

test('the command runs from source in the checkout, whatever folder it is called in', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAB_BIN, '--version'], {
    cwd: temporaryFolder(),
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('worker threads run from source, too: they need not know that they do', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'worker.ts'), 'const answer: number = 42\nconsole.log(answer)\n')
  writeFileSync(
    join(folder, 'main.mjs'),
    `import { Worker } from 'node:worker_threads'\nnew Worker(new URL('./worker.ts', import.meta.url))\n`,
  )
  const { stdout } = spawnSync(process.execPath, ['--import', hooks, join(folder, 'main.mjs')], {
    encoding: 'utf8',
  })
  expect(stdout).toBe('42\n')
})
