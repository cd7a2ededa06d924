/** Part 4B: both challenge exercises. */
import { Keys, checkValue } from './lab-checks.ts'
import { gidOf, type ShardLabCluster } from './lab-cluster.ts'
import { mustBe } from './lab-rules.ts'
import type { Scenario } from './lab-scenario.ts'

const KEYS = 30
const VALUE_BYTES = 1000
/** The data once for each replica, twice where the labs' checks have just been, and 6 kB a group for all else. */
const SAVED_BYTES_MAX = 3 * ((KEYS - 3) * VALUE_BYTES + 2 * 3 * VALUE_BYTES + 6000)

export const challengeScenarios: readonly Scenario[] = [
  { name: 'Challenge1Delete', maxRaftState: 1, play: challenge1Delete },
  { name: 'Challenge2Unaffected', maxRaftState: 100, unreliable: true, play: challenge2Unaffected },
  { name: 'Challenge2Partial', maxRaftState: 100, unreliable: true, play: challenge2Partial },
]

async function challenge1Delete(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const keys = await Keys.put(lab, KEYS, VALUE_BYTES)
  await keys.check(3)
  for (let round = 0; round < 2; round++) {
    await lab.join(1)
    await lab.leave(0)
    await lab.join(2)
    await lab.sleep(3000)
    await keys.check(3)
    await lab.leave(1)
    await lab.join(0)
    await lab.leave(2)
    await lab.sleep(3000)
    await keys.check(3)
  }
  await lab.join(1)
  await lab.join(2)
  for (let round = 0; round < 3; round++) {
    await lab.sleep(1000)
    await keys.check(3)
  }
  const saved = lab.saved().reduce((sum, { state, snapshot }) => sum + state + snapshot, 0)
  mustBe(
    saved <= SAVED_BYTES_MAX,
    'givenAwayIsDeleted',
    `all servers together keep ${String(saved)} bytes; ${String(SAVED_BYTES_MAX)} are allowed`,
  )
  await keys.check()
}

async function challenge2Unaffected(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const { clerk } = await Keys.put(lab, 0, 0)
  for (let key = 0; key < 10; key++) await clerk.put(String(key), '100')
  await lab.join(1)
  const owned = await keysOf(lab, 1)
  await lab.sleep(1000)
  for (const key of owned) await clerk.put(key, '101')
  lab.shutdownGroup(0)
  // What group 0 had can never arrive.
  await lab.leave(0)
  await lab.sleep(1000)
  await expectServed(lab, owned, '101', '-1')
}

async function challenge2Partial(lab: ShardLabCluster): Promise<void> {
  await lab.join(0, 1, 2)
  await lab.sleep(1000)
  const { clerk } = await Keys.put(lab, 0, 0)
  for (let key = 0; key < 10; key++) await clerk.put(String(key), '100')
  const arriving = await keysOf(lab, 2)
  lab.shutdownGroup(0)
  // Of what group 1 gets now, that of group 2 arrives and that of group 0 does not.
  await lab.leave(0, 2)
  await lab.sleep(1000)
  await expectServed(lab, arriving, '100', '-2')
}

/** Those of the ten keys whose shards the group has. */
async function keysOf(lab: ShardLabCluster, group: number): Promise<string[]> {
  const { shards } = await lab.config()
  const keys = Array.from({ length: 10 }, (_, key) => String(key))
  return keys.filter((key) => shards[key.charCodeAt(0) % shards.length] === gidOf(group))
}

async function expectServed(
  lab: ShardLabCluster,
  keys: readonly string[],
  value: string,
  addition: string,
): Promise<void> {
  mustBe(keys.length > 0, 'unaffectedServes', 'the group has no shard')
  const clerk = lab.client()
  for (const key of keys) {
    checkValue(key, await clerk.get(key), value)
    await clerk.put(key, value + addition)
    checkValue(key, await clerk.get(key), value + addition)
  }
}
