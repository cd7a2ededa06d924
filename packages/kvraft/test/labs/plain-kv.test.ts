/** The suite's own test: a service of another making passes, and each classic mistake in it is told by the rule that it breaks. */
import { kvLab, type KvLabOptions, type LabMakeClerk, type LabMakeKvServer } from '@lab/kvraft/testing'
import { LabFailure, labCore, type LabMake, type LabMethod, type LabTest } from '@lab/raft/testing'
import { sleep } from '@lab/rpc'
import { expect, test } from 'vitest'
import { PlainKvServer, makeClerk, makeServer, type Request } from './plain-kv.ts'

for (const title of ['OnePartition (3A)', 'UnreliableOneKey (3A)', 'PersistPartitionUnreliable (3A)'])
  test(`${title}: a map on a Raft passes`, async () => {
    expect((await find(title, { makeServer, makeClerk }).run(1)).done).toBeGreaterThan(5)
  })

test('§8: a clerk that sends each copy of a request as one of its own has it done twice', async () => {
  let number = 0
  const copies: LabMakeClerk = (servers, env) =>
    makeClerk(
      servers.map((server) => ({
        call: (method, args) => server.call(method, { ...(args as Request), number: ++number }),
      })),
      env,
    )
  expect(await ruleBrokenIn('UnreliableOneKey (3A)', { makeServer, makeClerk: copies })).toBe('exactlyOnce')
})

test('§8: a clerk that takes silence for an answer loses what it was told to write', async () => {
  const hopeful: LabMakeClerk = (servers, env) =>
    makeClerk(
      servers.map((server) => ({
        call: async (method, args) => {
          const reply = await server.call(method, args)
          return reply === undefined ? { answer: '' } : reply
        },
      })),
      env,
    )
  expect(await ruleBrokenIn('UnreliableOneKey (3A)', { makeServer, makeClerk: hopeful })).toBe('exactlyOnce')
})

test('§8: a leader that answers a get from what it has, without asking a majority, tells of the past', async () => {
  const values = new Map<PlainKvServer, Map<string, string>>()
  const stale = serving(
    (server, request, serve) =>
      request.op === 'get' && server.getState().isLeader
        ? { answer: values.get(server)?.get(request.key) ?? '' }
        : serve(request),
    (server, request) => {
      const own = values.get(server) ?? new Map<string, string>()
      if (request.op === 'put') own.set(request.key, request.value)
      values.set(server, own)
    },
  )
  expect(await ruleBrokenIn('OnePartition (3A)', { makeServer: stale, makeClerk })).toBe('minorityWaits')
})

test('§5.3: a leader that answers before a majority has the entry loses what it acknowledged', async () => {
  const hasty = serving((server, request, serve) => {
    const { isLeader } = server.getState()
    const served = serve(request)
    return isLeader && request.op !== 'get' ? { answer: '' } : served
  })
  const broken = await ruleBrokenIn('PersistPartition (3A)', { makeServer: hasty, makeClerk })
  expect(['readsOwnWrites', 'exactlyOnce', 'linearizable']).toContain(broken)
})

test('lab 3A: a server that lets each request wait for half a heartbeat is too slow', async () => {
  const slow = serving(async (server, request, serve) => {
    await sleep(server.clock, 50)
    return serve(request)
  })
  expect(await ruleBrokenIn('Speed (3A)', { makeServer: slow, makeClerk })).toBe('fastEnough')
})

test('§7: a server that makes snapshots where none are wanted, and one that makes none, are both told', async () => {
  const eager: LabMake = (peers, me, persister, apply, env) => {
    const raft = labCore()(
      peers,
      me,
      persister,
      (applied) => {
        apply(applied)
        if (applied.index % 5 === 0)
          void Promise.resolve().then(() => {
            raft.snapshot(applied.index, Uint8Array.of(1))
          })
      },
      env,
    )
    return raft
  }
  expect(await ruleBrokenIn('UnreliableOneKey (3A)', { makeServer: serverOn(eager), makeClerk })).toBe(
    'noSnapshot',
  )
  expect(await ruleBrokenIn('SnapshotSize (3B)', { makeServer, makeClerk })).toBe('logIsTrimmed')
})

type Serve = (request: Request) => unknown

/** A plain server whose requests, and what it applies, pass through the given functions. */
function serving(
  around: (server: PlainKvServer, request: Request, serve: Serve) => unknown,
  applied: (server: PlainKvServer, request: Request) => void = () => undefined,
): LabMakeKvServer {
  return (peers, me, persister, _maxRaftState, env) => {
    const server: PlainKvServer = new PlainKvServer(peers, me, persister, env, (ends, id, disk, apply, own) =>
      labCore()(
        ends,
        id,
        disk,
        (entry) => {
          apply(entry)
          if (entry.type === 'command') applied(server, JSON.parse(String(entry.command)) as Request)
        },
        own,
      ),
    )
    const serve = server.handlers['Request'] as Serve
    const Request = ((request: Request) => around(server, request, serve)) as LabMethod
    return {
      handlers: { ...server.handlers, Request },
      getState: () => server.getState(),
      kill: () => {
        server.kill()
      },
    }
  }
}

function serverOn(raft: LabMake): LabMakeKvServer {
  return (peers, me, persister, _maxRaftState, env) => new PlainKvServer(peers, me, persister, env, raft)
}

function find(title: string, options: KvLabOptions): LabTest {
  const found = kvLab(options).find((one) => one.title === title)
  if (found === undefined) throw new Error(`no ${title}`)
  return found
}

/** The first that one of ten seeds shows. */
async function ruleBrokenIn(title: string, options: KvLabOptions): Promise<string> {
  for (let seed = 1; seed <= 10; seed++) {
    try {
      await find(title, options).run(seed)
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(LabFailure)
      return (thrown as LabFailure).code
    }
  }
  return 'none'
}
