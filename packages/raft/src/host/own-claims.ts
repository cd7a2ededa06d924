import type { Term } from '../types.ts'
import type { GroupClaim } from './beat.ts'

interface Versioned extends GroupClaim {
  /** Of the claims when this one was made. */
  readonly version: number
}

/** What this process claims of its groups, and since when. */
export class OwnClaims {
  #version = 0
  #instances = 0
  /** By the version of their making, ascending: a claim that is renewed moves to the end. */
  readonly #claims = new Map<number, Versioned>()

  /** Counts the changes. */
  get version(): number {
    return this.#version
  }

  /** The group runs from now on, and leads nothing. */
  started(group: number): void {
    this.#set({ group, instance: ++this.#instances, term: 0 })
  }

  /** The group leads in `term`, or does not: 0. */
  leads(group: number, term: Term): void {
    const claim = this.#claims.get(group)
    if (claim !== undefined && claim.instance > 0 && claim.term !== term) this.#set({ ...claim, term })
  }

  /** The group runs no more. Said for ever after, as somebody may have missed it. */
  stopped(group: number): void {
    if (this.runs(group)) this.#set({ group, instance: 0, term: 0 })
  }

  runs(group: number): boolean {
    return (this.#claims.get(group)?.instance ?? 0) > 0
  }

  /** Those made after `version`. */
  since(version: number): Versioned[] {
    if (version === this.#version) return []
    const newest: Versioned[] = []
    for (const claim of this.#claims.values()) if (claim.version > version) newest.push(claim)
    return newest
  }

  /** The term in which whoever knows the claims up to `version` knows that this process leads the group. */
  knownTerm(group: number, version: number): Term {
    const claim = this.#claims.get(group)
    return claim === undefined || claim.version > version ? 0 : claim.term
  }

  #set({ group, instance, term }: GroupClaim): void {
    this.#claims.delete(group)
    this.#claims.set(group, { group, instance, term, version: ++this.#version })
  }
}
