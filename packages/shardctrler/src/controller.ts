/**
 * The controller's state machine: configurations one after the other, by number, and how far each group is with them.
 *
 *     create ─▶ 0 ─ join ─▶ 1 ─ join ─▶ 2 ─ leave ─▶ 3 …
 *               └─ forgotten below what every group has finished ─┘
 */
import type { StateMachine } from '@lab/raft'
import type { Command } from './commands.ts'
import { SHARDS_MAX, firstConfig, type Config, type Gid } from './config.ts'
import { configCodec } from './config-codec.ts'
import { History } from './history.ts'
import { nextConfig, type Change } from './next-config.ts'
import { ProgressTable } from './progress.ts'
import type { Answer, Query } from './queries.ts'
import type { Result } from './results.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'

export class Controller implements StateMachine<Command, Result, Query, Answer> {
  /** Null until it is created. Goes back at least as far as the group that has finished least. */
  #history: History | null = null
  #progress = new ProgressTable()
  #listener: () => void = () => {}

  /** Null until it is created. */
  get latest(): Config | null {
    return this.#history?.latest ?? null
  }

  /** `changed` is called when there is another configuration. The controller tells one listener: its server. */
  listen(changed: () => void): void {
    this.#listener = changed
  }

  apply(command: Command): Result {
    if (command.op === 'create') return this.#create(command)
    const history = this.#history
    if (history === null)
      return {
        status: 'refused',
        code: 'NOT_CREATED',
        message: 'nobody has said yet how many shards there are',
      }
    if (command.op === 'finished') return this.#finish(history, command.gid, command.num)
    return this.#change(history, command)
  }

  query(query: Query): Answer {
    const history = this.#history
    if (history === null) return { status: 'not-created' }
    const { firstNum, latest } = history
    if (query.op === 'progress') {
      const finished: Record<Gid, number> = {}
      for (const [gid, group] of this.#progress.entries) finished[gid] = group.finished
      return { status: 'progress', firstNum, finished, gone: this.#progress.gone }
    }
    const num = query.num < 0 ? latest.num : Math.min(query.num, latest.num)
    if (num < firstNum) return { status: 'compacted', firstNum }
    return { status: 'config', config: history.at(num) }
  }

  snapshot(): Iterable<Uint8Array> {
    const history = this.#history
    if (history === null) return []
    const { firstNum, encoded } = history
    const { entries, gone } = this.#progress
    return writeSnapshot({ firstNum, encoded: [...encoded], progress: entries, gone })
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const state = await readSnapshot(chunks)
    this.#history = state === null ? null : new History(state.firstNum, state.encoded)
    this.#progress = new ProgressTable(state?.progress, state?.gone)
    this.#listener()
  }

  #create({ shards, keyToShard }: Extract<Command, { readonly op: 'create' }>): Result {
    if (this.#history === null) {
      if (shards < 1 || shards > SHARDS_MAX)
        return { status: 'refused', code: 'BAD_SHARD', message: `1 to ${SHARDS_MAX} shards, not ${shards}` }
      this.#history = new History(0, [configCodec.encode(firstConfig(shards, keyToShard))])
      this.#listener()
    }
    return { status: 'done', num: this.#history.latest.num }
  }

  #change(history: History, change: Change): Result {
    const before = history.latest
    const made = nextConfig(before, change)
    if ('code' in made) return { status: 'refused', ...made }
    if (made === before) return { status: 'done', num: before.num }
    history.add(made)
    if (change.op === 'join') for (const { gid } of change.groups) this.#progress.joined(gid, made.num)
    if (change.op === 'leave') for (const gid of change.gids) this.#progress.left(gid, made.num)
    this.#listener()
    return { status: 'done', num: made.num }
  }

  #finish(history: History, gid: Gid, num: number): Result {
    const { latest } = history
    // From a retry, or from a group that has long been forgotten: what it says changes nothing.
    if (this.#progress.finished(gid, Math.min(num, latest.num))) history.forgetBelow(this.#progress.lowest)
    return { status: 'done', num: latest.num }
  }
}
