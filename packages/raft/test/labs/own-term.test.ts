import { describeLabCore, labCore, raftLab } from '@lab/raft/testing'
import { expect, test } from 'vitest'

// With one entry a message and one message at a time the old entry gets to a majority before the no-op does: without the check
// of §5.4.2 it would count as committed there, and be overwritten. With larger messages both arrive together.
const limits = { appendBytesMax: 1, inflightMessagesMax: 1 }
const [cut] = raftLab({ make: labCore({ limits }), describe: describeLabCore }).filter(
  ({ title }) => title === 'Figure8Cut (2C)',
)

test('§5.4.2: an entry of an earlier term on a majority is not committed, also while the no-op is still on its way', async () => {
  for (let seed = 1; seed <= 10; seed++) expect((await cut!.run(seed)).done).toBeGreaterThan(10)
})
