/** The suite's own test: a controller of another making passes, and each classic mistake is told by the rule that it breaks. */
import { LabFailure } from '@lab/raft/testing'
import { controllerLab, type LabMakeController } from '@lab/shardctrler/testing'
import { expect, test } from 'vitest'
import {
  makeController,
  makeControllerClerk,
  makeControllerWith,
  rebalance,
  type Rebalance,
} from './plain-controller.ts'

async function ruleBrokenIn(title: string, makeServer: LabMakeController): Promise<string> {
  const lab = controllerLab({ makeServer, makeClerk: makeControllerClerk }).find((one) => one.title === title)
  if (lab === undefined) throw new Error(`no ${title}`)
  try {
    await lab.run(1)
    return 'none'
  } catch (thrown) {
    if (!(thrown instanceof LabFailure)) throw thrown
    return thrown.code
  }
}

for (const title of ['Basic (4A)', 'Multi (4A)', 'MinimalAgain (4A)'])
  test(`${title}: plain configurations pass`, async () => {
    expect(await ruleBrokenIn(title, makeController)).toBe('none')
  })

/** Shards dealt out anew each time, as cards: balanced, and nearly all of them move. */
const dealt: Rebalance = (shards, gids) => shards.map((_, shard) => gids[shard % gids.length] ?? 0)

test('a controller that deals the shards out anew is told that it moves too many', async () => {
  for (const title of ['Basic (4A)', 'Multi (4A)', 'MinimalAgain (4A)'])
    expect(await ruleBrokenIn(title, makeControllerWith(dealt))).toBe('fewestMoves')
})

test('a controller that gives what is free to the first group is told that it does not balance', async () => {
  const lazy: Rebalance = (shards, gids) => shards.map((gid) => (gids.includes(gid) ? gid : (gids[0] ?? 0)))
  expect(await ruleBrokenIn('Basic (4A)', makeControllerWith(lazy))).toBe('balanced')
})

test('a controller that leaves shards with groups that are gone is told so', async () => {
  const careless: Rebalance = (shards, gids) => (shards[0] === 0 ? rebalance(shards, gids) : [...shards])
  expect(['balanced', 'validOwners']).toContain(
    await ruleBrokenIn('Multi (4A)', makeControllerWith(careless)),
  )
})

test('servers that decide by themselves are told apart when another leads', async () => {
  const wayward: LabMakeController = (peers, me, persister, env) =>
    makeControllerWith((shards, gids) => {
      const fair = rebalance(shards, gids)
      return gids.length === 2 ? [...fair.slice(me), ...fair.slice(0, me)] : fair
    })(peers, me, persister, env)
  expect(await ruleBrokenIn('Basic (4A)', wayward)).toBe('historyStays')
})
