/** Small files that are replaced as a whole: a line of JSON and its checksum, so that damage is noticed. */
import type { Disk } from '@lab/rpc'
import { crc32 } from '../../crc32.ts'
import { corrupt } from './errors.ts'

const SIZE_MAX = 16 * 1024 * 1024
const utf8 = new TextDecoder()
const encoder = new TextEncoder()

export const TEMPORARY_SUFFIX = '.tmp'

/** Durable when it resolves; a crash leaves the old content or the new. */
export async function replaceFile(
  disk: Disk,
  directory: string,
  name: string,
  value: unknown,
): Promise<void> {
  const line = JSON.stringify(value)
  const path = `${directory}/${name}`
  const temporary = path + TEMPORARY_SUFFIX
  const file = await disk.open(temporary, { create: true })
  try {
    await file.truncate(0)
    await file.write(encoder.encode(`${line}\n${checksum(line)}\n`), 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(temporary, path)
  await disk.syncDirectory(directory)
}

/** The value in the file. @throws {StorageError} `CORRUPT` when it is not what was written */
export async function readFileWhole(disk: Disk, directory: string, name: string): Promise<unknown> {
  const path = `${directory}/${name}`
  const file = await disk.open(path)
  try {
    const size = await file.size()
    const [line = '', sum = '', end] = utf8.decode(await file.read(0, Math.min(size, SIZE_MAX))).split('\n')
    if (end !== '' || sum !== checksum(line)) throw corrupt(`${path} is damaged`)
    return JSON.parse(line) as unknown
  } finally {
    await file.close()
  }
}

function checksum(line: string): string {
  return `crc32 ${crc32(encoder.encode(line)).toString(16).padStart(8, '0')}`
}
