import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { fileStorage } from '../../src/storage/file/index.ts'
import { OWNER, logOf, shorts } from '../../src/testing/storage/kit.ts'

const WRITER = join(import.meta.dirname, 'writer-process.ts')
const REGISTER = new URL('../../../../scripts/register-source.mjs', import.meta.url).href
const ROUNDS = 10

/** Lets a process append until it has acknowledged some, kills it, and returns the last index that it acknowledged. */
async function appendUntilKilled(folder: string, acknowledgements: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', REGISTER, WRITER, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let acknowledged = 0
  let count = 0
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line)
    if (++count === acknowledgements) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  return acknowledged
}

test(`a process killed ${String(ROUNDS)} times while it appends loses nothing that it acknowledged, and starts again at once`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-kill-'))
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const acknowledged = await appendUntilKilled(folder, round * 13)
      const storage = fileStorage(folder, { segmentBytes: 256 * 1024 })
      const { lastIndex, hardState, snapshot } = await storage.open(OWNER)
      expect(lastIndex).toBeGreaterThanOrEqual(acknowledged)
      expect(hardState).toEqual({ currentTerm: 1, votedFor: 'n1' })
      const first = (snapshot?.index ?? 0) + 1
      expect(await logOf(storage, first, lastIndex)).toEqual(shorts(first, lastIndex, 1))
      await storage.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
