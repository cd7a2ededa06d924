import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Disk } from '@lab/rpc'
import { systemDisk } from '@lab/rpc/disk'
import { expect, test } from 'vitest'
import { Coordinator } from '../../src/coordinator/coordinator.ts'
import { RESULT } from './stage.ts'
import type { AttemptId } from '../../src/core/task.ts'

test('a worker that comes while the output of a finished job is cleared up does not make it fail', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-mr-late-'))
  const where = { address: '', probe: { path: '', nonce: '' } }
  let late: Promise<void> | undefined
  const disk: Disk = {
    ...systemDisk,
    async remove(path) {
      late ??= coordinator.place('late', where, true)
      await late
      await systemDisk.remove(path)
    },
  }
  const split = { file: 'a', start: 0, end: 1, fileBytes: 1 }
  const job = {
    ...{ name: 'j', module: '', build: '', parameters: {}, reduces: 1, plan: '' },
    ...{ budgetBytes: 1, hangMs: 1, seed: 0 },
  }
  const coordinator = await Coordinator.open({
    ...{ job, splits: [[split]], output: join(folder, 'out'), isSorted: true, disk },
    readInput: () => Promise.reject(new Error('nothing is read')),
  })
  try {
    await coordinator.step({ type: 'register', worker: 'w', slots: 1, outputs: [], running: [] })
    for (const kind of ['map', 'reduce'] as const) {
      await coordinator.step({ type: 'ask', worker: 'w', running: [] })
      const attempt: AttemptId = { kind, task: 0, attempt: 1, worker: 'w' }
      await coordinator.step({ type: 'done', attempt, result: RESULT })
    }
    await expect(coordinator.done).resolves.toMatchObject({ epochs: 1 })
    await expect(late).resolves.toBeUndefined()
  } finally {
    await coordinator.close()
    rmSync(folder, { recursive: true })
  }
})
