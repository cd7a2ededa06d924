import { MemoryNetwork, memory } from '@lab/rpc/memory'
import { describe, expect, test } from 'vitest'
import { difference } from '../../src/bootstrap.ts'
import { RaftClient } from '../../src/client.ts'
import { RaftNode } from '../../src/node.ts'
import { checkOptions, type RaftNodeOptions } from '../../src/options.ts'
import { memoryStorage } from '../../src/storage/memory.ts'

const transport = memory(new MemoryNetwork())
const good: RaftNodeOptions = {
  id: 'n1',
  members: { n1: 'memory://n1', n2: ['memory://n2', 'ws://b:2'] },
  transport,
  storage: memoryStorage(),
}
const refused = (change: Record<string, unknown>): string => {
  try {
    checkOptions({ ...good, ...change })
  } catch (error) {
    expect(error).toMatchObject({ name: 'RaftError', code: 'BAD_REQUEST' })
    return (error as Error).message
  }
  throw new Error('accepted')
}

describe('options are refused at the edge, with the value and what is accepted', () => {
  test.each([
    [{ id: 'n 1' }, "id must be 1 to 64 of letters, digits, '.', '_', '-', not 'n 1'"],
    [{ id: '' }, 'id must be'],
    [{ id: 7 }, 'not 7'],
    [{ id: 'x'.repeat(65) }, 'id must be 1 to 64'],
    [{ id: 'n9' }, "members must hold this server's own id n9; it holds n1, n2"],
    [{ members: {} }, 'it holds nobody'],
    [{ members: { n1: 'memory://n1', 'n/2': 'memory://n2' } }, 'a key of members must be 1 to 64 of letters'],
    [{ members: { n1: 'memory://n1', n2: [] } }, 'members.n2 needs at least one address'],
    [{ members: { n1: 'memory://n1', n2: 7001 } }, 'members.n2 needs at least one address'],
    [{ transport: undefined }, 'transport is missing'],
    [
      { transport: memory },
      'transport must be one such as tcp(), not the function memory, which is to be called',
    ],
    [
      { timing: { heartbeat: 50 } },
      "timing has no 'heartbeat'; it has heartbeatMs, electionTimeoutMsMin, electionTimeoutMsMax",
    ],
    [{ limits: { proposals: 1 } }, "limits has no 'proposals'; it has proposalsMax, "],
    [
      { clusterId: 'my cluster' },
      "clusterId must be 1 to 64 of letters, digits, '.', '_', '-', not 'my cluster'",
    ],
    [{ timing: { heartbeatMs: 0 } }, 'timing.heartbeatMs must be a number above 0, not 0'],
    [
      { timing: { heartbeatMs: 200 } },
      'timing.electionTimeoutMsMin must be at least two heartbeats (400 ms), not 300',
    ],
    [{ timing: { electionTimeoutMsMax: 240 } }, 'must not be below electionTimeoutMsMin (300), not 240'],
    [{ snapshotEveryBytes: -1 }, 'snapshotEveryBytes must be a number above 0, not -1'],
    [{ timeout: Number.NaN }, 'timeout must be a number above 0, not NaN'],
    [{ limits: { proposalsMax: 0 } }, 'limits.proposalsMax must be a number above 0, not 0'],
    [{ limits: { trailingBytes: -1 } }, 'limits.trailingBytes must be a number from 0 on, not -1'],
    [{ limits: { commandBytesMax: 8e6 } }, 'rpcLimits.messageBytesMax'],
    [{ stateMachine: {} }, 'stateMachine needs a method apply'],
    [{ stateMachine: { apply() {}, snapshot: () => [] } }, 'both snapshot() and restore(chunks), or neither'],
    [{ listen: [] }, 'listen needs at least one address'],
  ])('%j', (change, message) => {
    expect(refused(change)).toContain(message)
  })

  test('what is given without scheme gets the first transport’s, so that it can travel', () => {
    const { members } = checkOptions({ ...good, members: { n1: 'a:1', n2: 'ws://b:2' } })
    expect(members).toEqual({ n1: ['memory://a:1'], n2: ['ws://b:2'] })
  })
})

test('what is no storage, a mistyped option, and servers that are no list, are refused before anything is opened', async () => {
  const [storage, servers] = ['./data/n1', 'localhost:7001'] as unknown as [
    RaftNodeOptions['storage'],
    string[],
  ]
  await expect(RaftNode.start({ ...good, storage })).rejects.toThrow(
    "storage must be one such as fileStorage('./data/n1'), not './data/n1'",
  )
  const mistyped = { ...good, snapshotEveryByte: 1024 } as RaftNodeOptions
  await expect(RaftNode.start(mistyped)).rejects.toThrow(
    "RaftNode.start has no 'snapshotEveryByte'; it has id, members, ",
  )
  await expect(RaftClient.connect({ transport, servers })).rejects.toThrow(
    "servers must be a list of addresses, not 'localhost:7001'",
  )
})

describe('members and the configuration in the log', () => {
  const membership = {
    voters: ['n1', 'n2', 'n3'],
    votersOutgoing: [],
    learners: [],
    index: 0,
    incarnations: {},
    leases: false,
    addresses: { n1: ['memory://a'], n2: ['memory://b'], n3: ['memory://c'] },
  }
  test('the same: nothing to tell', () => {
    expect(difference({ n1: ['memory://a'], n2: ['memory://b'], n3: ['memory://c'] }, membership)).toBeNull()
  })
  test('every difference is named', () => {
    expect(difference({ n1: ['memory://x'], n2: ['memory://b'], n4: ['memory://d'] }, membership)).toBe(
      "the log's configuration counts, not the options: members leaves out n3; members adds n4; members gives other addresses for n1",
    )
  })
})
