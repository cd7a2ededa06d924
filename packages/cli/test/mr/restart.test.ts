/**
 * SIGKILL of a coordinator that is a process: it goes on where it was, and its traces tell what became of each task. Workers reach it
 * by WebSocket here, by TCP in cluster.test.ts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lab, matching } from '../fake-io.ts'
import { app, folderWithInput, startLab } from './setting.ts'

const ENV = { ...process.env, LAB_MR_SECRET: 'known' }

test('a coordinator of workers by WebSocket that was killed goes on when started again, repeats no completed task, and the traces tell all', async () => {
  const cwd = folderWithInput(30)
  const coordinate = (trace: string, listen: string): ReturnType<typeof startLab> =>
    startLab(
      [
        ...['mr', 'coordinator', app('slow'), '--param', 'waitMs=10', '--listen', listen, '--trace', trace],
        ...['--input', 'in/*.txt', '--out', 'out', '--reducers', '2', '--split', '100'],
      ],
      cwd,
      ENV,
    )
  const first = coordinate('first.jsonl', 'ws://localhost:0')
  const [, address = ''] = await first.said(/coordinator at (ws:\S+);/)
  const worker = startLab(['mr', 'worker', '--join', address], cwd, ENV)
  await worker.said(/epoch 1$/m)
  // By the file itself: by the time that `lab trace` has read it, all may be done.
  const trace = (): string => readFileSync(join(cwd, 'first.jsonl'), 'utf8')
  await expect.poll(trace, { timeout: 30_000, interval: 10 }).toContain('"completed"')
  first.child.kill('SIGKILL')
  await first.ended

  const second = coordinate('second.jsonl', address)
  expect(await second.ended).toMatchObject({ code: 0, out: matching(/^14 records in 2 parts/) })
  expect(await worker.ended).toMatchObject({ code: 0, talk: matching(/epoch 1\n[^]*epoch 2\n/) })
  expect((await lab(['mr', 'cat', 'out'], { cwd })).out).toMatch(/^a line 0\t5\n/)

  const before = await completed(cwd, 'first.jsonl')
  const again = (await tasks(cwd, 'second.jsonl')).filter(({ why }) => why === 'assigned')
  // The last one may have been told to the trace in the moment of the kill, before it was in the journal.
  const repeated = again.filter(({ kind, task }) => before.slice(0, -1).includes(`${kind} ${String(task)}`))
  expect(repeated).toEqual([])

  const story = [join(cwd, 'second.jsonl')]
  const columns = await lab(['trace', 'cols', ...story], { cwd })
  expect(columns.out).toMatch(/│ map \d+ in-progress, attempt \d+ on w[0-9a-f]{8}: assigned\n/)
  const [number] = /\d+(?= +\d+\.\d+ │ reduce 1 completed)/.exec(columns.out) ?? []
  const explained = await lab(['trace', 'explain', number ?? '', ...story], { cwd })
  expect(explained.out).toMatch(/reduce 1 completed, [^]*: done[^]*reduce 1 in-progress, [^]*: assigned/)
})

interface TaskEvent {
  readonly kind: string
  readonly task: number
  readonly to: string
  readonly why: string
}

async function tasks(cwd: string, file: string): Promise<TaskEvent[]> {
  const { out } = await lab(['trace', 'filter', 'task', join(cwd, file), '-o', 'jsonl'], { cwd })
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TaskEvent)
}

async function completed(cwd: string, file: string): Promise<string[]> {
  const done = (await tasks(cwd, file)).filter(({ to }) => to === 'completed')
  return done.map(({ kind, task }) => `${kind} ${String(task)}`)
}
