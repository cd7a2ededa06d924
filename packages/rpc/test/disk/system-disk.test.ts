import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemDisk } from '@lab/rpc/disk'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-disk-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const bytes = (words: string): Uint8Array => new Uint8Array(Buffer.from(words, 'latin1'))

describe('systemDisk', () => {
  test('a missing file fails with NOT_FOUND, and names the path', async () => {
    await expect(systemDisk.open(join(folder, 'none'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(join(folder, 'none')) as string,
    })
    await expect(systemDisk.list(join(folder, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('an existing file fails with EXISTS when it is to be created exclusively', async () => {
    await (await systemDisk.open(join(folder, 'a'), { exclusive: true })).close()
    await expect(systemDisk.open(join(folder, 'a'), { exclusive: true })).rejects.toMatchObject({
      code: 'EXISTS',
    })
    await (await systemDisk.open(join(folder, 'a'), { create: true })).close()
  })

  test.each([true, false])(
    'bytes are written where they belong (durableWrites: %s)',
    async (durableWrites) => {
      const file = await systemDisk.open(join(folder, 'a'), { create: true, durableWrites })
      await file.write(bytes('world'), 6)
      await file.write(bytes('hello '), 0)
      expect(await file.size()).toBe(11)
      expect(text(await file.read(0, 11))).toBe('hello world')
      expect(text(await file.read(6, 3))).toBe('wor')
      await file.sync()
      await file.truncate(5)
      await file.close()
      expect(await readFile(join(folder, 'a'), 'latin1')).toBe('hello')
    },
  )

  test('a read past the end gives what there is, and nothing at the end', async () => {
    await writeFile(join(folder, 'a'), 'hello')
    const file = await systemDisk.open(join(folder, 'a'))
    expect(text(await file.read(3, 100))).toBe('lo')
    expect((await file.read(5, 100)).length).toBe(0)
    expect((await file.read(0, 0)).length).toBe(0)
    await file.close()
  })

  test('writing nothing resolves', async () => {
    const file = await systemDisk.open(join(folder, 'a'), { create: true })
    await file.write(new Uint8Array(0), 0)
    await file.close()
  })

  test('names are listed sorted; renaming replaces; removing twice is no error', async () => {
    for (const name of ['c', 'a', 'b']) await writeFile(join(folder, name), name)
    expect(await systemDisk.list(folder)).toEqual(['a', 'b', 'c'])
    await systemDisk.rename(join(folder, 'c'), join(folder, 'a'))
    await systemDisk.syncDirectory(folder)
    expect(await readFile(join(folder, 'a'), 'latin1')).toBe('c')
    await systemDisk.remove(join(folder, 'b'))
    await systemDisk.remove(join(folder, 'b'))
    expect(await systemDisk.list(folder)).toEqual(['a'])
  })

  test('a folder is made with its parents, twice is no error', async () => {
    const deep = join(folder, 'x', 'y', 'z')
    await systemDisk.makeDirectory(deep)
    await systemDisk.makeDirectory(deep)
    expect(await systemDisk.list(deep)).toEqual([])
  })

  test.runIf(process.platform === 'linux')('a full disk fails with DISK_FULL', async () => {
    const file = await systemDisk.open('/dev/full')
    await expect(file.write(bytes('x'), 0)).rejects.toMatchObject({ code: 'DISK_FULL' })
    await file.close()
  })

  test('any other failure is DISK_FAILED and keeps its cause', async () => {
    await writeFile(join(folder, 'a'), '')
    await expect(systemDisk.list(join(folder, 'a'))).rejects.toMatchObject({
      code: 'DISK_FAILED',
      cause: { code: 'ENOTDIR' },
    })
  })

  test.runIf(process.platform === 'linux')('tmpfs is not durable, the work folder is', async () => {
    expect(await systemDisk.isDurable('/dev/shm')).toBe(false)
    expect(await systemDisk.isDurable(process.cwd())).toBe(true)
  })
})
