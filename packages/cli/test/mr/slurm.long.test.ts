/** `lab mr slurm` on a Slurm cluster of this machine. Run by `.ci/run`. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lab, matching } from '../fake-io.ts'
import { app, folderWithInput, startLab, type Running } from './setting.ts'
import { SlurmCluster, whyNoSlurm } from './slurm-cluster.ts'

const whyNot = whyNoSlurm()
if (whyNot !== null) console.log(`skipped: Slurm: ${whyNot}`)

describe.skipIf(whyNot !== null)('a Slurm cluster', () => {
  const slurm = new SlurmCluster()
  beforeAll(() => slurm.start())
  afterAll(() => slurm.stop())

  /** Three tasks on three nodes, which are one machine. */
  function start(job: string, cwd: string, ...more: readonly string[]): Running {
    const args = ['-N', '3', '--listen', 'localhost:0', '--input', 'in/*.txt', '--out', 'out', ...more]
    return startLab(['mr', 'slurm', app(job), ...args], cwd, slurm.env)
  }

  test('task 0 coordinates and the others work, and the output is whole when the command ends', async () => {
    const cwd = folderWithInput()
    const { code, out } = await start('words', cwd, '--', '--partition=all').ended
    expect({ code, out }).toEqual({
      code: 0,
      out: matching(/^3 records in 4 parts of out, in .*\n {2}lines = 80\n$/),
    })
    expect((await lab(['mr', 'cat', 'out'], { cwd })).out).toBe('a\t40\nb\t40\nline\t80\n')
    expect(readdirSync(join(cwd, 'tmp'))).toEqual([])
    expect(slurm.ask('squeue', '-h')).toBe('')
  })

  test('a worker that is killed costs its tasks and not the job', async () => {
    const cwd = folderWithInput()
    const running = start('slow', cwd, '--param', 'waitMs=50')
    const { workers } = await statusWith(cwd, 2)
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL')
    expect(await running.ended).toMatchObject({ code: 0 })
    expect((await lab(['mr', 'cat', 'out'], { cwd })).out).toMatch(/^a line 0\t6\n.*b line 6\t5\n$/s)
  })

  test('a step that is cancelled leaves no process, and the same command goes on where it was', async () => {
    const cwd = folderWithInput()
    const slow = ['--param', 'waitMs=20', '--split', '100', '--trace', join(cwd, 'first.jsonl')]
    const cancelled = start('slow', cwd, ...slow)
    await statusWith(cwd, 2, 3)
    slurm.ask('scancel', slurm.ask('squeue', '-s', '-h', '-o', '%i %j').split(' ')[0] ?? '')
    expect(await cancelled.ended).toMatchObject({
      code: 1,
      talk: matching(/the job is not done: srun ended with .*; the same command goes on/),
    })
    expect(slurm.ask('squeue', '-h')).toBe('')
    expect(readdirSync(join(cwd, 'out'))).toEqual(['_attempt'])

    const again = await start('slow', cwd, ...slow).ended
    expect(again).toMatchObject({ code: 0 })
    expect((await lab(['mr', 'cat', 'out'], { cwd })).out).toMatch(/^a line 0\t6\n.*b line 6\t5\n$/s)
  })

  test('nodes are not let talk in the clear unasked, and one task cannot do both', async () => {
    const cwd = folderWithInput(1)
    const job = ['mr', 'slurm', app('words'), '--input', 'in/*.txt', '--out', 'out']
    expect(await lab([...job, '-N', '2'], { cwd })).toMatchObject({ code: 2, talk: matching(/--insecure/) })
    expect(await lab([...job, '-N', '1'], { cwd })).toMatchObject({ code: 2, talk: matching(/-n 2/) })
  })
})

interface Status {
  readonly map: { readonly completed: number }
  readonly workers: readonly { readonly pid: number; readonly running: number }[]
}

/** The first status with so many workers at work and so many maps done. */
async function statusWith(cwd: string, workers: number, maps = 0): Promise<Status> {
  for (let looks = 0; looks < 600; looks++) {
    const { code, out } = await lab(['mr', 'status', 'out', '-o', 'json'], { cwd })
    const status = code === 0 ? (JSON.parse(out) as Status) : null
    if (
      status !== null &&
      status.map.completed >= maps &&
      status.workers.filter(({ running }) => running > 0).length >= workers
    )
      return status
    await wait(50)
  }
  throw new Error('the workers never came')
}
