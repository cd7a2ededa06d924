/**
 * How far each group is with what the configurations ask of it: take what it is given, hand over what is taken away. What a group
 * has not finished it may still ask for, so history is kept from there on.
 */
import type { Gid } from './config.ts'

export interface GroupProgress {
  /** The latest configuration that the group has finished. */
  readonly finished: number
  /** The configuration by which it left, and which it must finish before it is forgotten; 0 while it is a member. */
  readonly leftBy: number
}

export class ProgressTable {
  readonly #groups: Map<Gid, GroupProgress>
  /** Left, with nothing to hand over any more. */
  readonly #gone: Set<Gid>

  constructor(groups: Iterable<readonly [Gid, GroupProgress]> = [], gone: Iterable<Gid> = []) {
    this.#groups = new Map(groups)
    this.#gone = new Set(gone)
  }

  get entries(): readonly (readonly [Gid, GroupProgress])[] {
    return [...this.#groups]
  }

  /** Groups that left and have handed over all that they had, in the order in which they did. */
  get gone(): readonly Gid[] {
    return [...this.#gone]
  }

  /** By configuration `num`. A group that is new serves nothing before: it has nothing to finish there. One that comes back may have. */
  joined(gid: Gid, num: number): void {
    const finished = this.#groups.get(gid)?.finished ?? num - 1
    this.#groups.set(gid, { finished, leftBy: 0 })
    this.#gone.delete(gid)
  }

  /** By configuration `num`. */
  left(gid: Gid, num: number): void {
    const group = this.#groups.get(gid)
    if (group !== undefined) this.#groups.set(gid, { ...group, leftBy: num })
  }

  /** @returns false when the group is not known, or no longer */
  finished(gid: Gid, num: number): boolean {
    const group = this.#groups.get(gid)
    if (group === undefined) return false
    const finished = Math.max(num, group.finished)
    if (group.leftBy > 0 && finished >= group.leftBy) {
      this.#groups.delete(gid)
      this.#gone.add(gid)
    } else this.#groups.set(gid, { ...group, finished })
    return true
  }

  /** The lowest that a group has finished: earlier configurations nobody needs. Infinity when there are no groups. */
  get lowest(): number {
    return Math.min(...[...this.#groups.values()].map(({ finished }) => finished))
  }
}
