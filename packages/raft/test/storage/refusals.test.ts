import { seededRandom } from '@lab/rpc'
import { beforeEach, describe, expect, test } from 'vitest'
import { crc32 } from '../../src/crc32.ts'
import type { Recovered, Storage } from '../../src/storage.ts'
import { fileStorage } from '../../src/storage/file/index.ts'
import { OWNER, append, entries, logOf, metaOf, shorts, takeSnapshot } from '../../src/testing/storage/kit.ts'
import { SimDisk } from '@lab/sim'

let disk = new SimDisk({ random: seededRandom(1) })

function storageOn(folder = 'data'): Storage {
  return fileStorage(folder, { disk, random: seededRandom(1), segmentBytes: 4096 })
}

function open(): Promise<Recovered> {
  return storageOn().open(OWNER)
}

/** A folder with a log of several segments and a snapshot. */
beforeEach(async () => {
  disk = new SimDisk({ random: seededRandom(1) })
  const storage = storageOn()
  await storage.open(OWNER)
  for (let first = 1; first <= 100; first += 5) await append(storage, entries(first, first + 4, 1, 300))
  await takeSnapshot(storage, metaOf(50, 1))
  await storage.compact(50)
  await storage.rememberPeer('n2', 'aaaaaaaaaaaaaaaa')
  await storage.close()
})

async function names(prefix: string): Promise<string[]> {
  return (await disk.list('data')).filter((name) => name.startsWith(prefix)).map((name) => `data/${name}`)
}

/** Replaces a small file by other words with a right checksum. */
function rewrite(path: string, value: unknown): void {
  const line = JSON.stringify(value)
  const sum = crc32(new TextEncoder().encode(line)).toString(16).padStart(8, '0')
  disk.put(path, new TextEncoder().encode(`${line}\ncrc32 ${sum}\n`))
}

describe('a folder that is not what a server left behind is refused, with what to do', () => {
  test('without identity beside a log: wiped in part', async () => {
    await disk.remove('data/identity')
    await expect(open()).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringMatching(/identity is missing.*restore.*or remove this server/) as string,
    })
  })

  test('without identity beside snapshots alone', async () => {
    await disk.remove('data/identity')
    for (const path of await names('log-')) await disk.remove(path)
    await expect(open()).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  test('with an identity and no log', async () => {
    for (const path of [...(await names('log-')), ...(await names('snapshot-'))]) await disk.remove(path)
    await expect(open()).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('files of the log are missing') as string,
    })
  })

  test('with a segment missing in the middle, naming it', async () => {
    const [, second = ''] = await names('log-')
    await disk.remove(second)
    await expect(open()).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining(`${second} is missing`) as string,
    })
  })

  test('with its first segment missing', async () => {
    const [first = ''] = await names('log-')
    await disk.remove(first)
    await expect(open()).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  test('with the snapshot missing that the log starts from', async () => {
    for (const path of await names('snapshot-')) await disk.remove(path)
    await expect(open()).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('a file is missing') as string,
    })
  })

  test.each(['identity', 'peers'])('with %s damaged at any byte', async (name) => {
    const whole = disk.bytes(`data/${name}`).slice()
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice()
      bytes[at] = (bytes[at] ?? 0) ^ 4
      disk.put(`data/${name}`, bytes)
      await expect(open(), `offset ${String(at)}`).rejects.toMatchObject({ code: 'CORRUPT' })
    }
  })

  test('of a newer format', async () => {
    rewrite('data/identity', { format: 2, ...OWNER, incarnation: '0123456789abcdef' })
    await expect(open()).rejects.toMatchObject({
      code: 'VERSION',
      message: expect.stringContaining('use a newer one') as string,
    })
  })

  test('with a segment of a newer format', async () => {
    const path = (await names('log-'))[0] ?? ''
    const bytes = disk.bytes(path).slice()
    const view = new DataView(bytes.buffer)
    view.setUint32(8, 2, true)
    view.setUint32(48, crc32(bytes, 0, 48), true)
    disk.put(path, bytes)
    await expect(open()).rejects.toMatchObject({ code: 'VERSION' })
  })

  test('whose identity says something else than an identity', async () => {
    rewrite('data/identity', ['n1'])
    await expect(open()).rejects.toMatchObject({ code: 'CORRUPT' })
  })
})

describe('a folder that a crash left untidy is tidied', () => {
  test('files that were never finished are removed, those of others left alone', async () => {
    for (const name of ['log.tmp', 'identity.tmp', 'snapshot-0000000000000070-00000001.tmp', 'notes.tmp'])
      disk.put(`data/${name}`, new Uint8Array(10))
    const storage = storageOn()
    await storage.open(OWNER)
    const left = (await disk.list('data')).filter((name) => name.endsWith('.tmp'))
    expect(left).toEqual(['notes.tmp'])
  })

  test('a snapshot that a newer one replaced is removed', async () => {
    const [newest = ''] = await names('snapshot-')
    disk.put('data/snapshot-0000000000000030-00000001', disk.bytes(newest))
    const storage = storageOn()
    expect(await storage.open(OWNER)).toMatchObject({ snapshot: { index: 50 } })
    expect(await names('snapshot-')).toEqual([newest])
  })
})

test('a refused folder is not locked, and opens once it is mended', async () => {
  const identity = disk.bytes('data/identity').slice()
  await disk.remove('data/identity')
  await expect(open()).rejects.toMatchObject({ code: 'CORRUPT' })
  disk.put('data/identity', identity)
  const storage = storageOn()
  await storage.open(OWNER)
  expect(await logOf(storage, 51, 100)).toEqual(shorts(51, 100, 1))
})

test('a disk in memory is told of', async () => {
  disk.isDurable = () => Promise.resolve(false)
  expect(await open()).toMatchObject({ notes: [expect.stringContaining('tmpfs') as string] })
})
