import { seededRandom } from '@lab/rpc'
import { SimDisk } from '@lab/sim'
import { expect, test } from 'vitest'
import { fileStorage } from '../../src/storage/file/index.ts'
import { OWNER, entries } from '../../src/testing/storage/kit.ts'
import type { Recovered, Storage } from '../../src/storage.ts'

test('what a start finds stays, also when the writer was killed before its sync and the power goes after the start', async () => {
  let found = 0
  for (let seed = 1; seed <= 200; seed++) {
    const disk = new SimDisk({ random: seededRandom(seed) })
    const open = async (): Promise<{ storage: Storage; recovered: Recovered }> => {
      const storage = fileStorage('data', {
        disk: disk.process(),
        random: seededRandom(seed),
        segmentBytes: 4096,
      })
      return { storage, recovered: await storage.open(OWNER) }
    }
    const { storage } = await open()
    await storage.write({ hardState: { currentTerm: 1, votedFor: 'n1' }, entries: entries(1, 3, 1, 20) })
    // SIGKILL in the midst of a write: its bytes may be in the system's memory and not on the disk.
    disk.changesUntilDeath = 1
    void storage.write({ hardState: null, entries: entries(4, 4, 1, 20) })
    await disk.dead
    disk.changesUntilDeath = Infinity
    disk.kill()
    const { recovered } = await open()
    if (recovered.lastIndex === 4) found++
    disk.crash()
    const again = await open()
    expect(again.recovered.lastIndex, `seed ${seed}`).toBe(recovered.lastIndex)
  }
  expect(found).toBeGreaterThan(20)
})
