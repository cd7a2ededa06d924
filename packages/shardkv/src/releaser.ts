/**
 * Deletes what other groups have taken over, while this server leads. The source asks, and the destination only tells what its log
 * says: nobody can make a group delete anything, and no word of it can be lost.
 */
import { NOBODY } from '@lab/shardctrler'
import { encodeDelete } from './commands.ts'
import type { Remote } from './migration.ts'
import { RETRY_MS_MAX, RETRY_MS_MIN, proposeHere, type MoverOptions } from './mover.ts'
import type { ShardMove } from './shard-service.ts'

/** Shards in one question. */
const MOVES_MAX = 256

export class Releaser {
  readonly #options: MoverOptions
  /** Groups that are being asked. */
  readonly #asking = new Set<number>()

  constructor(options: MoverOptions) {
    this.#options = options
  }

  /** For as long as this server leads. */
  async run(signal: AbortSignal): Promise<void> {
    const { nudge } = this.#options
    const work = new Set<Promise<void>>()
    while (!signal.aborted) {
      for (const to of this.#destinations()) {
        this.#asking.add(to.gid)
        const asking = this.#ask(to, signal).finally(() => work.delete(asking))
        work.add(asking)
      }
      await nudge.wait(Infinity, signal)
    }
    await Promise.all(work)
  }

  #destinations(): Remote[] {
    const found = new Map<number, Remote>()
    for (const state of this.#options.machine.migration.states.values())
      if (state.name === 'frozen' && state.to.gid !== NOBODY && !this.#asking.has(state.to.gid))
        found.set(state.to.gid, state.to)
    return [...found.values()]
  }

  /** Until nothing is held for that group any more. */
  async #ask(to: Remote, signal: AbortSignal): Promise<void> {
    const { nudge } = this.#options
    let retry = RETRY_MS_MIN
    try {
      for (let attempt = 0; !signal.aborted; attempt++) {
        const moves = this.#heldFor(to.gid)
        if (moves.length === 0) return
        const taken = await this.#options.groups.taken(to, moves, attempt, signal)
        for (const { shard, num } of taken)
          await proposeHere(this.#options.node, encodeDelete(shard, num), signal)
        retry = taken.length > 0 ? RETRY_MS_MIN : Math.min(2 * retry, RETRY_MS_MAX)
        await nudge.wait(retry, signal)
      }
    } finally {
      this.#asking.delete(to.gid)
      nudge.wake()
    }
  }

  #heldFor(gid: number): ShardMove[] {
    const moves: ShardMove[] = []
    for (const [shard, state] of this.#options.machine.migration.states)
      if (state.name === 'frozen' && state.to.gid === gid && moves.length < MOVES_MAX)
        moves.push({ shard, num: state.num })
    return moves
  }
}
