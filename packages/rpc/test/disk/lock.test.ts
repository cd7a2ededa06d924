import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DiskLock } from '../../src/disk.ts'
import { lockBySocketFile } from '../../src/disk/lock-file.ts'
import { lockFolder } from '../../src/disk/lock.ts'

const HOLDER = join(import.meta.dirname, 'lock-holder.ts')
const REGISTER = new URL('../../../../scripts/register-source.mjs', import.meta.url).href

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const KINDS: readonly [string, (directory: string) => Promise<DiskLock>][] = [
  ["this system's lock", lockFolder],
  ['a socket file', lockBySocketFile],
]

describe.each(KINDS)('%s', (kind, lock) => {
  test('a folder is held by one at a time, and free once released', async () => {
    const held = await lock(folder)
    await expect(lock(folder)).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`process ${String(process.pid)}`) as string,
    })
    await held.release()
    await (await lock(folder)).release()
  })

  test('another name of the same folder is the same lock', async () => {
    const other = `${folder}-link`
    await symlink(folder, other)
    const held = await lock(folder)
    await expect(lock(other)).rejects.toMatchObject({ code: 'LOCKED' })
    await held.release()
    await rm(other)
  })

  test('of twenty that try at once exactly one gets it', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lock(folder)))
    const held = tries.filter((each) => each.status === 'fulfilled')
    expect(held).toHaveLength(1)
    await held[0]?.value.release()
  })

  test('SIGKILL frees it at once, five times in a row', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 5; round++) {
      const holder = spawn(process.execPath, ['--import', REGISTER, HOLDER, kind, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(holder.stdout, 'data')
      await expect(lock(folder)).rejects.toMatchObject({ code: 'LOCKED' })
      holder.kill('SIGKILL')
      await once(holder, 'exit')
      await (await lock(folder)).release()
    }
  })
})
