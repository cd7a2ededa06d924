/** `lab mr coordinator`, the worker whose command it prints, and `lab mr status`. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lab, matching } from '../fake-io.ts'
import { app, folderWithInput, start, startLab } from './setting.ts'

const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url))

test('the command that a coordinator prints is a worker’s when pasted, and status tells how far they are', async () => {
  const cwd = folderWithInput()
  const job = [app('slow'), '--param', 'waitMs=15', '--input', 'in/*.txt', '--out', 'out', '--reducers', '2']
  const coordinator = startLab(['mr', 'coordinator', ...job], cwd)
  const [, command = '', secret = '', address = ''] = await coordinator.said(
    /^ {2}(LAB_MR_SECRET=(\w+) npx lab mr worker --join (tcp:\S+))$/m,
  )

  const before = await lab(['mr', 'status', 'out'], { cwd })
  expect(before).toMatchObject({
    code: 0,
    out: matching(
      /^slow: running, map 0\/2 · reduce 0\/2 · 0 % · 0\.0 MB\/s · waiting for workers, since .*\nmap {5}\.\.\nreduce {2}\.\.\n$/,
    ),
  })
  expect(await lab(['mr', 'status', address], { cwd })).toMatchObject({
    code: 2,
    talk: matching(/LAB_MR_SECRET/),
  })
  const wrong = { cwd, env: { LAB_MR_SECRET: 'guessed' } }
  expect(await lab(['mr', 'status', address], wrong)).toMatchObject({ code: 6 })
  expect(await lab(['mr', 'worker', '--join', address], wrong)).toMatchObject({ code: 6 })

  const worker = start('sh', ['-c', `cd '${CHECKOUT}' && ${command}`], cwd)
  await worker.said(/^works for slow, epoch 1$/m)
  const during = await lab(['mr', 'status', address, '-o', 'json'], { cwd, env: { LAB_MR_SECRET: secret } })
  expect(JSON.parse(during.out)).toMatchObject({ job: 'slow', state: 'running', workers: [{ slots: 1 }] })

  expect(await worker.ended).toMatchObject({ code: 0 })
  expect(await coordinator.ended).toMatchObject({
    code: 0,
    out: matching(/^14 records in 2 parts of out, in /),
  })
  expect((await lab(['mr', 'cat', 'out'], { cwd })).out).toMatch(/^a line 0\t6\n.*b line 6\t5\n$/s)
  expect(await lab(['mr', 'status', 'out'], { cwd })).toMatchObject({
    code: 2,
    talk: matching(/no job is running/),
  })
  expect(readdirSync(join(cwd, 'tmp'))).toEqual([])
})
