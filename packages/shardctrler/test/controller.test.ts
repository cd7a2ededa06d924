import { expect, test } from 'vitest'
import { Controller, shardsOf, type Command, type Config, type NewGroup } from '@lab/shardctrler'

const group = (gid: number, more: Partial<NewGroup> = {}): NewGroup => ({
  gid,
  weight: 1,
  servers: [`s${gid}`],
  ...more,
})
const join = (...gids: number[]): Command => ({ op: 'join', groups: gids.map((gid) => group(gid)) })

function created(...commands: Command[]): Controller {
  const controller = new Controller()
  controller.apply({ op: 'create', shards: 10, keyToShard: 'crc16' })
  for (const command of commands) expect(controller.apply(command)).toMatchObject({ status: 'done' })
  return controller
}

function configOf(controller: Controller, num = -1): Config {
  const answer = controller.query({ op: 'config', num })
  if (answer.status !== 'config') throw new Error(answer.status)
  return answer.config
}

async function copyOf(controller: Controller): Promise<Controller> {
  const copy = new Controller()
  const chunks = [...controller.snapshot()]
  await copy.restore(
    (async function* () {
      await Promise.resolve()
      yield* chunks
    })(),
  )
  return copy
}

test('before it is created there is nothing to ask or to change', () => {
  const controller = new Controller()
  expect(controller.query({ op: 'config', num: -1 })).toEqual({ status: 'not-created' })
  expect(controller.apply(join(1))).toMatchObject({ status: 'refused', code: 'NOT_CREATED' })
})

test('the number of shards is the first one said, whatever another leader says later', () => {
  const controller = created()
  controller.apply({ op: 'create', shards: 64, keyToShard: 'first-byte' })
  expect(configOf(controller)).toMatchObject({ num: 0, keyToShard: 'crc16' })
  expect(configOf(controller).shards).toHaveLength(10)
})

test('every change makes the next configuration, and the earlier ones stay as they were', () => {
  const controller = created(join(1), join(2), { op: 'leave', gids: [1] })
  expect(configOf(controller).num).toBe(3)
  expect(Object.keys(configOf(controller, 1).groups)).toEqual(['1'])
  expect(Object.keys(configOf(controller, 2).groups)).toEqual(['1', '2'])
  expect(new Set(configOf(controller, 3).shards)).toEqual(new Set([2]))
  expect(configOf(controller, 99)).toEqual(configOf(controller))
})

test('when the last group leaves nobody serves anything', () => {
  const controller = created(join(1), { op: 'leave', gids: [1] })
  expect(new Set(configOf(controller).shards)).toEqual(new Set([0]))
})

const refusals: readonly (readonly [string, Command, string])[] = [
  ['a group that has joined', join(1), 'DUPLICATE_GID'],
  ['a group twice in one join', join(5, 5), 'DUPLICATE_GID'],
  ['group 0', join(0), 'BAD_GID'],
  ['a group beyond 2^32', join(2 ** 32), 'BAD_GID'],
  ['a group without servers', { op: 'join', groups: [group(5, { servers: [] })] }, 'NO_SERVERS'],
  ['a group with a server twice', { op: 'join', groups: [group(5, { servers: ['a', 'a'] })] }, 'NO_SERVERS'],
  ['an address that is none', { op: 'join', groups: [group(5, { servers: ['tcp://a:1 b'] })] }, 'BAD_SERVER'],
  ['a port that is none', { op: 'join', groups: [group(5, { servers: ['a:99999'] })] }, 'BAD_SERVER'],
  ['an empty address', { op: 'join', groups: [group(5, { servers: [''] })] }, 'BAD_SERVER'],
  ['no weight at all', { op: 'join', groups: [group(5, { weight: 0 })] }, 'BAD_WEIGHT'],
  ['a leave of a stranger', { op: 'leave', gids: [1, 9] }, 'UNKNOWN_GID'],
  ['a move to a stranger', { op: 'move', shard: 0, gid: 9 }, 'UNKNOWN_GID'],
  ['a move of a shard that is not there', { op: 'move', shard: 10, gid: 1 }, 'BAD_SHARD'],
  ['a pin of a shard that is not there', { op: 'pin', shards: [0, 10] }, 'BAD_SHARD'],
  ['a weight for a stranger', { op: 'weigh', gid: 9, weight: 2 }, 'UNKNOWN_GID'],
  ['a weight of 1001', { op: 'weigh', gid: 1, weight: 1001 }, 'BAD_WEIGHT'],
  ['other servers for a stranger', { op: 'relocate', gid: 9, servers: ['a'] }, 'UNKNOWN_GID'],
]

for (const [what, command, code] of refusals)
  test(`${what} is refused with ${code}, and nothing changes`, () => {
    const controller = created(join(1), join(2))
    const before = configOf(controller)
    expect(controller.apply(command)).toMatchObject({ status: 'refused', code })
    expect(configOf(controller)).toEqual(before)
  })

test('what changes nothing makes no configuration', () => {
  const controller = created(join(1), { op: 'pin', shards: [3] })
  const { num } = configOf(controller)
  const nothing: Command[] = [
    { op: 'join', groups: [] },
    { op: 'leave', gids: [] },
    { op: 'move', shard: 0, gid: 1 },
    { op: 'pin', shards: [3, 3] },
    { op: 'unpin', shards: [4] },
    { op: 'weigh', gid: 1, weight: 1 },
    { op: 'relocate', gid: 1, servers: ['s1'] },
  ]
  for (const command of nothing) expect(controller.apply(command)).toEqual({ status: 'done', num })
})

test('a moved shard goes back with the next join, a moved and pinned one stays', () => {
  const all = Array.from({ length: 10 }, (_, shard) => shard)
  const moved = all.map((shard): Command => ({ op: 'move', shard, gid: 1 }))
  const controller = created(join(1, 2), ...moved, { op: 'pin', shards: [0, 1, 2, 3] }, join(3))
  const config = configOf(controller)
  expect(config.shards.slice(0, 4)).toEqual([1, 1, 1, 1])
  expect([1, 2, 3].map((gid) => shardsOf(config, gid).filter((shard) => shard > 3).length)).toEqual([2, 2, 2])
})

test('a move moves that shard and no other', () => {
  const controller = created(join(1, 2), { op: 'move', shard: 0, gid: 2 }, { op: 'move', shard: 1, gid: 2 })
  const { shards } = configOf(controller)
  expect(shards.slice(0, 2)).toEqual([2, 2])
  expect(shards.slice(2)).toEqual(configOf(controller, 1).shards.slice(2))
})

test('a pin ends when its group leaves', () => {
  const controller = created(join(1), { op: 'pin', shards: [0, 9] }, join(2), { op: 'leave', gids: [1] })
  expect(configOf(controller)).toMatchObject({ pinned: [], groups: { 2: ['s2'] } })
  expect(new Set(configOf(controller).shards)).toEqual(new Set([2]))
})

test('other servers of a group move no shard', () => {
  const controller = created(join(1, 2), { op: 'relocate', gid: 1, servers: ['tcp://new:1'] })
  expect(configOf(controller).shards).toEqual(configOf(controller, 1).shards)
  expect(configOf(controller).groups[1]).toEqual(['tcp://new:1'])
})

test('history is kept from the configuration on that the slowest group has finished', () => {
  const controller = created(join(1), join(2), join(3))
  controller.apply({ op: 'finished', gid: 1, num: 3 })
  controller.apply({ op: 'finished', gid: 3, num: 3 })
  expect(controller.query({ op: 'progress' })).toEqual({
    status: 'progress',
    firstNum: 1,
    finished: { 1: 3, 2: 1, 3: 3 },
    gone: [],
  })
  controller.apply({ op: 'finished', gid: 2, num: 2 })
  expect(controller.query({ op: 'config', num: 1 })).toEqual({ status: 'compacted', firstNum: 2 })
  expect(configOf(controller, 2).num).toBe(2)
})

test('a group that left is waited for until it has handed over, and no longer', () => {
  const controller = created(join(1, 2), { op: 'leave', gids: [1] }, join(3))
  controller.apply({ op: 'finished', gid: 2, num: 3 })
  controller.apply({ op: 'finished', gid: 3, num: 3 })
  expect(controller.query({ op: 'config', num: 1 })).toMatchObject({ status: 'config' })
  controller.apply({ op: 'finished', gid: 1, num: 1 })
  expect(controller.query({ op: 'progress' })).toMatchObject({ firstNum: 1, finished: { 1: 1 }, gone: [] })
  controller.apply({ op: 'finished', gid: 1, num: 2 })
  expect(controller.query({ op: 'progress' })).toEqual({
    status: 'progress',
    firstNum: 3,
    finished: { 2: 3, 3: 3 },
    gone: [1],
  })
})

test('a group that comes back before it has handed over is still waited for', () => {
  const controller = created(join(1, 2), { op: 'leave', gids: [1] }, join(1))
  controller.apply({ op: 'finished', gid: 2, num: 3 })
  expect(controller.query({ op: 'progress' })).toMatchObject({ firstNum: 0, finished: { 1: 0 } })
})

test('a group that left is told as gone until it comes back, also from a snapshot', async () => {
  const controller = created(join(1, 2, 3), { op: 'leave', gids: [1, 3] })
  for (const gid of [3, 1]) controller.apply({ op: 'finished', gid, num: 2 })
  const copy = await copyOf(controller)
  expect(copy.query({ op: 'progress' })).toMatchObject({ gone: [3, 1] })
  copy.apply(join(3))
  expect(copy.query({ op: 'progress' })).toMatchObject({ gone: [1] })
})

test('a group cannot finish what is not there yet, nor unfinish', () => {
  const controller = created(join(1))
  controller.apply({ op: 'finished', gid: 1, num: 99 })
  controller.apply({ op: 'finished', gid: 1, num: 0 })
  expect(controller.query({ op: 'progress' })).toMatchObject({ firstNum: 1, finished: { 1: 1 } })
})

test('a restored snapshot answers and goes on as the original', async () => {
  const controller = created(join(1, 2), join(3), { op: 'leave', gids: [2] }, { op: 'pin', shards: [1] })
  controller.apply({ op: 'finished', gid: 3, num: 2 })
  const copy = await copyOf(controller)
  const later: Command[] = [
    { op: 'finished', gid: 1, num: 4 },
    { op: 'finished', gid: 2, num: 3 },
    { op: 'finished', gid: 3, num: 4 },
    join(2),
    { op: 'weigh', gid: 3, weight: 5 },
  ]
  for (const command of later) {
    expect(copy.apply(command)).toEqual(controller.apply(command))
    expect(copy.query({ op: 'progress' })).toEqual(controller.query({ op: 'progress' }))
    expect(configOf(copy)).toEqual(configOf(controller))
  }
  expect([...copy.snapshot()]).toEqual([...controller.snapshot()])
})

test('a snapshot is of the moment it was begun, although changes follow', async () => {
  const controller = created(join(1))
  const chunks = controller.snapshot()
  controller.apply(join(2))
  const copy = new Controller()
  await copy.restore(
    (async function* () {
      await Promise.resolve()
      yield* chunks
    })(),
  )
  expect(copy.latest?.num).toBe(1)
})

test('before it is created its snapshot is empty, and restores to that', async () => {
  expect((await copyOf(new Controller())).latest).toBe(null)
})
