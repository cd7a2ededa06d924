// A process that appends to the log in the folder given and prints the last index once it is durable, until it is killed.
import { fileStorage } from '../../src/storage/file/index.ts'
import { OWNER, append, entries, metaOf, takeSnapshot } from '../../src/testing/storage/kit.ts'

const storage = fileStorage(process.argv[2] ?? '', { segmentBytes: 256 * 1024 })
let { lastIndex } = await storage.open(OWNER)
let compacting: Promise<void> = Promise.resolve()
for (let batch = 1; ; batch++) {
  const count = 1 + (batch % 17)
  await append(storage, entries(lastIndex + 1, lastIndex + count, 1, (batch * 97) % 3000), {
    currentTerm: 1,
    votedFor: 'n1',
  })
  lastIndex += count
  process.stdout.write(`${String(lastIndex)}\n`)
  if (batch % 50 === 0) compacting = compacting.then(() => forget(lastIndex - 100))
}

async function forget(index: number): Promise<void> {
  await takeSnapshot(storage, metaOf(index, 1))
  await storage.compact(index)
}
