/** Several groups under crashes, pauses, partitions, loss and groups that come and go: Figure 3 holds, and afterwards all serve. */
import type { Random } from '@lab/rpc'
import { expect, test } from 'vitest'
import { HostCluster } from './host-cluster.ts'

/** More by HOST_SEEDS=200. */
const SEEDS = Number(process.env['HOST_SEEDS'] ?? 10)
const GROUPS = [0, 1, 2, 3]
const CHAOS_MS = 12_000

/** Proposals that are still under way may come after it. */
function upTo(item: string, items: readonly string[]): string[] {
  return items.slice(0, items.indexOf(item) + 1)
}

class Chaos {
  readonly t: HostCluster
  readonly #random: Random
  readonly #paused = new Set<string>()
  /** What was acknowledged, by group. */
  readonly acknowledged = new Map(GROUPS.map((group) => [group, [] as string[]]))
  #proposed = 0

  constructor(t: HostCluster) {
    this.t = t
    this.#random = t.world.random('chaos')
  }

  async run(): Promise<void> {
    const end = this.t.now + CHAOS_MS
    while (this.t.now < end) {
      await this.#fault()
      // Long enough now and then for groups to fall quiet.
      for (let i = this.#random.integer(0, 3); i > 0; i--) this.#propose()
      await this.t.advance(this.#random.integer(0, 3) === 0 ? 1500 : this.#random.integer(10, 400))
    }
    await this.#mend()
  }

  async #fault(): Promise<void> {
    const { t } = this
    const id = t.ids[this.#random.integer(0, t.ids.length - 1)] ?? ''
    const other = t.ids[this.#random.integer(0, t.ids.length - 1)] ?? ''
    const group = GROUPS[this.#random.integer(0, GROUPS.length - 1)] ?? 0
    const { network } = t.world
    switch (this.#random.integer(0, 9)) {
      case 0:
        if (t.isUp(id) && !this.#paused.has(id)) t.crash(id)
        else if (!t.isUp(id)) await t.restart(id)
        return
      case 1:
        if (this.#paused.delete(id)) t.world.machine(id).resume()
        else if (t.isUp(id)) {
          this.#paused.add(id)
          t.world.machine(id).pause()
        }
        return
      case 2:
        network.cut(id, other)
        return
      case 3:
        network.partition(
          [id],
          t.ids.filter((each) => each !== id),
        )
        return
      case 4:
        network.set({
          lossRate: this.#random.integer(0, 3) / 10,
          duplicationRate: 0.1,
          reordering: true,
          latencyMs: [0.2, 30],
        })
        return
      case 5:
        if (!t.isUp(id) || this.#paused.has(id)) return
        if (t.host(id).groups.includes(group)) await t.stopGroup(id, group)
        else await t.settle(t.startGroup(id, group))
        return
      default:
        network.heal()
    }
  }

  #propose(): void {
    const { t } = this
    const group = GROUPS[this.#random.integer(0, GROUPS.length - 1)] ?? 0
    const nodes = t.nodesOf(group).filter(({ id }) => !this.#paused.has(id))
    const node = nodes[this.#random.integer(0, Math.max(0, nodes.length - 1))]
    if (node === undefined) return
    const item = `p${++this.#proposed}`
    node.propose(item, { timeout: 3000 }).then(
      () => this.acknowledged.get(group)?.push(item),
      () => undefined,
    )
  }

  async #mend(): Promise<void> {
    const { t } = this
    t.world.network.heal()
    t.world.network.set({ lossRate: 0, duplicationRate: 0, reordering: false, latencyMs: [0.2, 1] })
    for (const id of t.ids) {
      if (this.#paused.has(id)) t.world.machine(id).resume()
      if (!t.isUp(id)) await t.restart(id)
    }
    this.#paused.clear()
    for (const id of t.ids)
      for (const group of GROUPS)
        if (!t.host(id).groups.includes(group)) await t.settle(t.startGroup(id, group))
  }
}

test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('seed %i', async (seed) => {
  const t = await HostCluster.start({ groups: GROUPS, seed, leases: seed % 3 === 0 })
  const chaos = new Chaos(t)
  await chaos.run()
  await t.led()
  for (const group of GROUPS) {
    // What is acknowledged while we look need not be seen.
    const acknowledged = [...(chaos.acknowledged.get(group) ?? [])]
    await t.settle(t.node('n1', group).propose('last'))
    const seen = await Promise.all(
      t.ids.map((id) => t.settle(t.node(id, group).read((machine) => upTo('last', machine.state.items)))),
    )
    for (const items of seen) expect(items).toEqual(seen[0])
    const counts = new Map<string, number>()
    for (const item of seen[0] ?? []) counts.set(item, (counts.get(item) ?? 0) + 1)
    for (const item of acknowledged) expect(counts.get(item)).toBe(1)
  }
  // Liveness includes falling quiet again.
  await t.rest()
  expect(await t.messagesPerSecond(2000)).toBeLessThan(65)
  await t.close()
  t.expectRules()
})
