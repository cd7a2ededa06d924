/** Does to a world what a plan says, and takes it back. */
import type { Milliseconds } from '@lab/rpc'
import { reliableLink } from '@lab/rpc/memory'
import type { World } from '../world.ts'
import { flipBit } from './bit-flip.ts'
import { LEADER, describeFault, type Fault, type FaultKind, type Target } from './fault.ts'

export interface NemesisOptions {
  readonly world: World
  /** The servers, which faults are about; clients reach all that is not cut by name. */
  readonly machines: readonly string[]
  /** Who leads, as far as one can see from outside; null for nobody. */
  readonly leader: () => string | null
  /** Begins the server of a machine (again). */
  readonly start: (machine: string) => void
  /** Somebody changes the cluster. */
  readonly operate?: (draw: number) => void
}

/** Room that a full disk still has. */
const FULL_DISK_ROOM_BYTES = 2048

export class Nemesis {
  readonly #options: NemesisOptions
  /** Faults that last, with the machines that they have found. */
  readonly #active = new Set<Fault>()
  #isHealed = false

  constructor(options: NemesisOptions) {
    this.#options = options
  }

  /** Sets a timer for each fault. */
  schedule(faults: readonly Fault[]): void {
    const { clock } = this.#options.world
    for (const fault of faults)
      clock.setTimer(fault.at, () => {
        if (!this.#isHealed) this.#begin(this.#resolve(fault))
      })
  }

  /** Something goes wrong at once. @returns ends it before `forMs` are over */
  strike(kind: FaultKind, forMs: Milliseconds): () => void {
    if (this.#isHealed) return () => undefined
    return this.#begin(this.#resolve({ ...kind, at: this.#options.world.now, forMs }))
  }

  /** Ends every fault; no other begins. Machines that are down are for the caller to start. */
  heal(): void {
    this.#isHealed = true
    this.#active.clear()
    this.#applyLinks()
    for (const id of this.#options.machines) {
      const machine = this.#options.world.machine(id)
      machine.clock.setRate(1)
      machine.disk.slowness = 1
      machine.disk.failureShare = 0
      machine.disk.capacityBytes = Infinity
      machine.resume()
    }
  }

  #begin(fault: Fault): () => void {
    this.#note(fault, 'begins')
    this.#active.add(fault)
    this.#strike(fault)
    const end = (): void => {
      if (!this.#active.delete(fault)) return
      this.#note(fault, 'ends')
      this.#undo(fault)
    }
    this.#options.world.clock.setTimer(fault.forMs, end)
    return end
  }

  #strike(fault: Fault): void {
    const { world, machines } = this.#options
    switch (fault.what) {
      case 'kill':
        world.machine(fault.on).kill()
        return
      case 'crash':
        world.machine(fault.on).crash()
        return
      case 'blackout':
        for (const id of machines) world.machine(id).crash()
        return
      case 'bit-flip':
        world.machine(fault.on).crash()
        flipBit(world.machine(fault.on).disk, fault.draw)
        return
      case 'clock-jump':
        world.machine(fault.on).clock.jump(fault.byMs)
        return
      case 'operate':
        this.#options.operate?.(fault.draw)
        return
      case 'partition':
      case 'one-way':
      case 'bad-link':
      case 'slow-inbox':
        this.#applyLinks()
        return
      case 'pause':
        world.machine(fault.on).pause()
        return
      case 'clock-rate':
      case 'slow-disk':
      case 'failing-disk':
      case 'full-disk':
        this.#applyMachine(fault.on)
    }
  }

  #undo(fault: Fault): void {
    const { world, machines, start } = this.#options
    switch (fault.what) {
      case 'kill':
      case 'crash':
      case 'bit-flip':
        if (!world.machine(fault.on).isUp) start(fault.on)
        return
      case 'blackout':
        for (const id of machines) if (!world.machine(id).isUp) start(id)
        return
      case 'clock-jump':
      case 'operate':
        return
      case 'partition':
      case 'one-way':
      case 'bad-link':
      case 'slow-inbox':
        this.#applyLinks()
        return
      case 'pause':
        world.machine(fault.on).resume()
        return
      case 'clock-rate':
      case 'slow-disk':
      case 'failing-disk':
      case 'full-disk':
        this.#applyMachine(fault.on)
    }
  }

  /** The faults that last on a machine's clock and disk: the latest of a kind counts. */
  #applyMachine(id: string): void {
    const { clock, disk } = this.#options.world.machine(id)
    let rate = 1
    disk.slowness = 1
    disk.failureShare = 0
    disk.capacityBytes = Infinity
    for (const fault of this.#active) {
      if (!('on' in fault) || fault.on !== id) continue
      if (fault.what === 'clock-rate') rate = fault.rate
      if (fault.what === 'slow-disk') disk.slowness = fault.factor
      if (fault.what === 'failing-disk') disk.failureShare = fault.share
      if (fault.what === 'full-disk') disk.capacityBytes = disk.usedBytes + FULL_DISK_ROOM_BYTES
    }
    clock.setRate(rate)
  }

  /** All cuts and conditions that last: laid anew, as they may overlap. */
  #applyLinks(): void {
    const { machines, world } = this.#options
    const { network } = world
    network.heal()
    network.set(reliableLink)
    for (const fault of this.#active) {
      if (fault.what === 'one-way') network.cut(fault.from, fault.to)
      if (fault.what === 'partition') this.#cutGroups(fault.groups)
      if (fault.what !== 'bad-link') continue
      const { latencyMsMax, ...link } = fault.link
      network.set({ ...reliableLink, ...link, latencyMs: [0.2, Math.max(1, latencyMsMax)] })
    }
    // After what holds for all links, which replaces everything before it.
    for (const fault of this.#active)
      if (fault.what === 'slow-inbox')
        for (const from of machines)
          network.set({ latencyMs: [fault.latencyMsMin ?? 0.2, fault.latencyMsMax] }, { from, to: fault.on })
  }

  #cutGroups(groups: readonly (readonly Target[])[]): void {
    const grouped = [...new Set(groups.flat())]
    const together = (a: Target, b: Target): boolean =>
      groups.some((group) => group.includes(a) && group.includes(b))
    for (const from of grouped)
      for (const to of grouped)
        if (from !== to && !together(from, to)) this.#options.world.network.cut(from, to)
  }

  /** The same fault with `leader` replaced by whoever leads now. */
  #resolve(fault: Fault): Fault {
    const { leader, machines } = this.#options
    const leading = leader() ?? (machines[Math.floor(fault.at) % machines.length] as string)
    const found = (target: Target): string => (target === LEADER ? leading : target)
    if (fault.what === 'partition') return { ...fault, groups: apart(fault.groups, leading) }
    if (fault.what === 'one-way') {
      const from = found(fault.from)
      const others = machines.filter((machine) => machine !== from)
      const to = fault.to === from ? (others[Math.floor(fault.at) % others.length] ?? from) : fault.to
      return { ...fault, from, to }
    }
    return 'on' in fault ? { ...fault, on: found(fault.on) } : fault
  }

  #note(fault: Fault, when: 'begins' | 'ends'): void {
    this.#options.world.trace?.({ n: '', k: 'fault', what: `${describeFault(fault)}: ${when}` })
  }
}

/** Groups in which `leader` stands alone where the plan says so: taken out of all others. */
function apart(groups: readonly (readonly Target[])[], leading: string): readonly (readonly Target[])[] {
  if (!groups.some((group) => group.includes(LEADER))) return groups
  return groups.map((group) =>
    group.includes(LEADER)
      ? group.map((target) => (target === LEADER ? leading : target))
      : group.filter((target) => target !== leading),
  )
}
