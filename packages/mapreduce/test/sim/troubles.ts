/** What befalls a simulated cluster, as the seed draws it, and what must hold all the while. */
import type { Random } from '@lab/rpc'
import type { SimCluster } from './sim-cluster.ts'

export class Troubles {
  readonly #cluster: SimCluster
  readonly #random: Random
  /** What was done, for people. */
  readonly log: string[] = []
  readonly violations: string[] = []

  constructor(cluster: SimCluster, random: Random) {
    this.#cluster = cluster
    this.#random = random
  }

  /** Makes trouble for so long, or until the job is over; then the network is whole again and everybody lives. */
  async run(forMs: number): Promise<void> {
    const { world } = this.#cluster
    const random = this.#random
    const until = world.now + forMs
    world.network.set({
      lossRate: random.next() < 0.5 ? 0 : random.next() * 0.05,
      duplicationRate: random.next() < 0.5 ? 0 : random.next() * 0.1,
      reordering: random.next() < 0.5,
      latencyMs: [0.2, random.integer(1, 30)],
    })
    while (world.now < until && !this.#cluster.isOver) {
      await world.advance(random.integer(50, 1_500))
      if (!this.#cluster.isOver) this.#one()
      await this.#look()
    }
    world.network.set({ lossRate: 0, duplicationRate: 0, reordering: false, latencyMs: [0.2, 1] })
    world.network.heal()
    for (const machine of world.machines) machine.resume()
    await this.#look()
  }

  #one(): void {
    const { world, workers, files } = this.#cluster
    const random = this.#random
    const victim = workers[random.integer(0, workers.length - 1)] ?? ''
    switch (random.integer(0, 6)) {
      case 0:
        this.#say(`kill ${victim}`)
        this.#cluster.kill(victim)
        break
      case 1:
        this.#say('kill coordinator')
        this.#cluster.kill('coordinator')
        break
      case 2: {
        this.#say(`pause ${victim}`)
        world.machine(victim).pause()
        world.clock.setTimer(random.integer(100, 15_000), () => {
          world.machine(victim).resume()
        })
        break
      }
      case 3:
        this.#say(`cut off ${victim}`)
        world.network.partition([victim], ['coordinator', ...workers.filter((one) => one !== victim)])
        world.clock.setTimer(random.integer(100, 12_000), () => {
          world.network.heal()
        })
        break
      case 4:
        this.#corrupt(victim)
        break
      case 5:
        this.#say('power of coordinator')
        world.machine('coordinator').crash()
        break
      default:
        this.#say(`nothing for ${String(files.size)} machines`)
    }
  }

  /** Turns a bit of a map output over. */
  #corrupt(victim: string): void {
    const files = this.#cluster.files.get(victim)
    const outputs = files?.paths.filter((path) => /\/map-\d+\.\d+\.w[0-9a-f]+$/.test(path)) ?? []
    const path = outputs[this.#random.integer(0, outputs.length - 1)]
    if (files === undefined || path === undefined) return
    const bytes = files.get(path)
    const at = this.#random.integer(0, bytes.length - 1)
    bytes[at] = (bytes[at] ?? 0) ^ 0x10
    // In place: whoever has it open sees it too.
    files.put(path, bytes)
    this.#say(`bit ${String(at)} of ${path}`)
  }

  /** Nobody ever sees some of the parts, or parts of which one is a half. */
  async #look(): Promise<void> {
    const { world } = this.#cluster
    const names = await world.settle(
      world
        .machine('coordinator')
        .disk.process()
        .list('out')
        .catch(() => [] as string[]),
      60_000,
    )
    if (names.includes('_SUCCESS.json')) return
    const open = this.#cluster.transitions.filter(({ to }) => to === 'completed')
    const parts = names.filter((name) => name.startsWith('part-'))
    const reduces = new Set(open.filter(({ kind }) => kind === 'reduce').map(({ task }) => task))
    if (parts.length > reduces.size)
      this.violations.push(`${String(parts.length)} parts before they were completed`)
  }

  #say(what: string): void {
    this.log.push(`${String(Math.round(this.#cluster.world.now))} ${what}`)
  }
}
