/**
 * What must hold at every moment of every scenario, seen from outside: what servers apply, and what they say about
 * themselves. It holds over crashes: a server's lives share one row.
 */
import { fail } from './lab-failure.ts'
import type { LabApplied, LabCommand } from './lab-interface.ts'

export interface LabState {
  readonly term: number
  readonly isLeader: boolean
}

export class LabSafety {
  /** By server, then by index: what it has applied in any of its lives. */
  readonly #applied: Map<number, LabCommand>[]
  /** By server: the last index applied in its present life, or covered by a snapshot there. */
  readonly #lastApplied: number[]
  readonly #terms: number[]
  /** By index: what was applied first, and by whom. Everybody else must agree. */
  readonly #agreed = new Map<number, { readonly command: LabCommand; readonly server: number }>()
  readonly #leaders = new Map<number, number>()
  readonly #started = new Set<LabCommand>()
  #highest = 0

  constructor(servers: number) {
    this.#applied = Array.from({ length: servers }, () => new Map<number, LabCommand>())
    this.#lastApplied = new Array<number>(servers).fill(0)
    this.#terms = new Array<number>(servers).fill(0)
  }

  /** The highest index that anybody has applied. */
  get highestIndex(): number {
    return this.#highest
  }

  lastApplied(server: number): number {
    return this.#lastApplied[server] ?? 0
  }

  /** What `server` has applied at `index` in any of its lives. */
  commandAt(server: number, index: number): LabCommand | undefined {
    return this.#applied[server]?.get(index)
  }

  /** A client is about to offer the command to somebody. */
  willStart(command: LabCommand): void {
    this.#started.add(command)
  }

  /** A server begins a life with the first `index` commands, from its persisted snapshot, already applied. */
  reborn(server: number, commands: readonly LabCommand[]): void {
    this.restored(server, commands.length, commands)
  }

  /** @throws {LabFailure} when the command is not what others applied there, or comes out of order */
  applied(server: number, { index, command }: LabApplied & { readonly type: 'command' }): void {
    this.#agree(server, index, command)
    const row = this.#row(server)
    // In order means: right after what this life applied, or again from somewhere that an earlier life had reached.
    if (index > 1 && index !== this.lastApplied(server) + 1 && !row.has(index - 1))
      fail('applyInOrder', `${nameOf(server)} applies index ${String(index)} without ${String(index - 1)}`)
    row.set(index, command)
    this.#lastApplied[server] = index
    this.#highest = Math.max(this.#highest, index)
  }

  /** A snapshot of the first `index` commands took the place of what the server had applied. */
  restored(server: number, index: number, commands: readonly LabCommand[]): void {
    if (commands.length !== index)
      fail(
        'snapshotKeepsState',
        `${nameOf(server)} got a snapshot up to index ${String(index)} that holds ${String(commands.length)} commands`,
      )
    const row = this.#row(server)
    commands.forEach((command, i) => {
      this.#agree(server, i + 1, command)
      row.set(i + 1, command)
    })
    this.#lastApplied[server] = index
    this.#highest = Math.max(this.#highest, index)
  }

  /** @throws {LabFailure} when the term went back, or somebody else has led in it */
  saw(server: number, { term, isLeader }: LabState): void {
    const before = this.#terms[server] ?? 0
    if (term < before)
      fail('termsOnlyGrow', `${nameOf(server)} was in term ${String(before)} and is in term ${String(term)}`)
    this.#terms[server] = term
    if (!isLeader) return
    const other = this.#leaders.get(term) ?? server
    if (other !== server)
      fail('electionSafety', `${nameOf(other)} and ${nameOf(server)} both lead in term ${String(term)}`)
    this.#leaders.set(term, server)
  }

  #agree(server: number, index: number, command: LabCommand): void {
    const agreed = this.#agreed.get(index)
    if (agreed === undefined) {
      if (!this.#started.has(command))
        fail('commitNeedsStart', `${nameOf(server)} applies ${show(command)} at index ${String(index)}`)
      this.#agreed.set(index, { command, server })
    } else if (agreed.command !== command) {
      fail(
        'stateMachineSafety',
        `at index ${String(index)} ${nameOf(agreed.server)} applied ${show(agreed.command)} and ${nameOf(server)} applies ${show(command)}`,
      )
    }
  }

  #row(server: number): Map<number, LabCommand> {
    const row = this.#applied[server]
    if (row === undefined) throw new RangeError(`there is no server ${String(server)}`)
    return row
  }
}

/** How failures and traces call a server: `n1` is the first. */
export function nameOf(server: number): string {
  return `n${String(server + 1)}`
}

/** A command for a message: long ones cut short. */
export function show(command: LabCommand | undefined): string {
  const text = command === undefined ? 'nothing' : JSON.stringify(command)
  return text.length > 40 ? `${text.slice(0, 36)} …"` : text
}
