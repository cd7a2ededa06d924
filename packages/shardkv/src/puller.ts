/**
 * Fetches the shards that this group waits for, while this server leads it. Its own log says which page comes next, so that the
 * next leader goes on where this one stopped; whatever is proposed twice, or too late, the log refuses.
 */
import { encodePage } from './commands.ts'
import { Gate } from './gate.ts'
import { sameCursor } from './hand-off.ts'
import type { Remote } from './migration.ts'
import { RETRY_MS_MAX, RETRY_MS_MIN, proposeHere, type MoverOptions } from './mover.ts'
import type { PageAnswer } from './shard-service.ts'
import type { PageCursor } from '@lab/kvraft/parts'

/** Of one source, so that one that is down holds up no other. */
const SHARDS_PER_SOURCE = 4
/** In the log and not applied yet: what writes of clients may have to wait behind. */
const PAGES_IN_LOG = 2

const FIRST: PageCursor = new Uint8Array(0)

interface Want {
  readonly shard: number
  readonly num: number
  readonly from: Remote
}

export class Puller {
  readonly #options: MoverOptions
  readonly #gate = new Gate(PAGES_IN_LOG)
  /** Shards under way, and how many of each source. */
  readonly #busy = new Set<number>()
  readonly #sources = new Map<number, number>()

  constructor(options: MoverOptions) {
    this.#options = options
  }

  /** For as long as this server leads. */
  async run(signal: AbortSignal): Promise<void> {
    const { nudge } = this.#options
    const work = new Set<Promise<void>>()
    while (!signal.aborted) {
      for (const want of this.#next()) {
        const pulling = this.#pull(want, signal).finally(() => work.delete(pulling))
        work.add(pulling)
      }
      await nudge.wait(Infinity, signal)
    }
    await Promise.all(work)
  }

  /** What is waited for and may begin now. */
  #next(): Want[] {
    const wants: Want[] = []
    for (const [shard, state] of this.#options.machine.migration.states) {
      if (state.name !== 'waiting' || this.#busy.has(shard)) continue
      const { num, from } = state
      const count = this.#sources.get(from.gid) ?? 0
      if (count >= SHARDS_PER_SOURCE) continue
      this.#sources.set(from.gid, count + 1)
      this.#busy.add(shard)
      wants.push({ shard, num, from })
    }
    return wants
  }

  async #pull(want: Want, signal: AbortSignal): Promise<void> {
    const { shard, from } = want
    try {
      await this.#pages(want, signal)
    } finally {
      this.#busy.delete(shard)
      this.#sources.set(from.gid, (this.#sources.get(from.gid) ?? 1) - 1)
      this.#options.nudge.wake()
    }
  }

  async #pages(want: Want, signal: AbortSignal): Promise<void> {
    const { machine, node, nudge } = this.#options
    const { shard, num } = want
    let retry = RETRY_MS_MIN
    let ahead: { readonly cursor: PageCursor; readonly answer: Promise<PageAnswer> } | null = null
    for (let attempt = shard; !signal.aborted && machine.migration.waitsFor(shard, num); attempt++) {
      const cursor = machine.arrivals.get(shard)?.next ?? FIRST
      const asked: Promise<PageAnswer> =
        ahead !== null && sameCursor(ahead.cursor, cursor)
          ? ahead.answer
          : this.#ask(want, cursor, attempt, signal)
      ahead = null
      const answer: PageAnswer = await asked
      if (answer.kind === 'page') {
        const { page } = answer
        const next = page.next?.slice()
        // The page that follows travels while this one is being committed.
        if (next !== undefined) ahead = { cursor: next, answer: this.#ask(want, next, attempt, signal) }
        const command = encodePage({ ...page, shard, num, from: cursor })
        if (await this.#gate.pass(() => proposeHere(node, command, signal))) {
          retry = RETRY_MS_MIN
          continue
        }
      }
      await nudge.wait(retry, signal)
      retry = Math.min(2 * retry, RETRY_MS_MAX)
    }
    await ahead?.answer
  }

  #ask(
    { shard, num, from }: Want,
    cursor: PageCursor,
    attempt: number,
    signal: AbortSignal,
  ): Promise<PageAnswer> {
    return this.#options.groups.page(from, { shard, num, cursor }, attempt, signal)
  }
}
