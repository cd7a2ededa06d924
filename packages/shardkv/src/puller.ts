/**
 * Fetches the shards that this group waits for, while this server leads it. Its own log says which page comes next, so that the
 * next leader goes on where this one stopped; whatever is proposed twice, or too late, the log refuses.
 */
import { ByteWriter, sleep, type Milliseconds } from '@lab/rpc'
import { encodePage } from './commands.ts'
import { Gate } from './gate.ts'
import { sameCursor } from './hand-off.ts'
import { PAGE_BYTES } from './limits.ts'
import type { Remote } from './migration.ts'
import { RETRY_MS_MAX, RETRY_MS_MIN, proposeHere, type MoverOptions } from './mover.ts'
import type { PageAnswer } from './shard-service.ts'
import type { PageCursor } from '@lab/kvraft/parts'

/** Of one source, so that one that is down holds up no other. */
const SHARDS_PER_SOURCE = 4
/** In the log and not applied yet: what writes of clients may have to wait behind. */
const PAGES_IN_LOG = 2
/** While clients are served, a full page is followed by a rest so many times as long as the page took: most of the time is theirs. */
const REST_PER_PAGE = 8
/** Overload must not stop a shard on its way: moving it away may be the cure. */
const REST_MS_MAX: Milliseconds = 30
/** While this server makes a snapshot: one such thing at a time. */
const SNAPSHOT_REST_MS: Milliseconds = 250

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
    const { machine, nudge } = this.#options
    const { shard, num } = want
    let retry = RETRY_MS_MIN
    /** Of the page being proposed: a buffer for each would keep the collector busy. */
    const writer = new ByteWriter(PAGE_BYTES)
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
        const command = encodePage({ ...page, shard, num, from: cursor }, writer)
        if (await this.#gate.pass(() => this.#propose(command, signal))) {
          retry = RETRY_MS_MIN
          continue
        }
      }
      await nudge.wait(retry, signal)
      retry = Math.min(2 * retry, RETRY_MS_MAX)
    }
    await ahead?.answer
  }

  /** How long a page takes tells how busy processors and disks are. Where nobody is served, nobody is disturbed. */
  async #propose(command: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const { clock, node, traffic } = this.#options
    const [begun, before] = [clock.now(), traffic.operations]
    const isThere = await proposeHere(node, command, signal)
    if (traffic.operations === before) return isThere
    const usual = Math.min((clock.now() - begun) * REST_PER_PAGE, REST_MS_MAX)
    const rest = (node.makesSnapshot ? SNAPSHOT_REST_MS : usual) * Math.min(command.length / PAGE_BYTES, 1)
    // A timer knows no less than a millisecond.
    if (rest >= 1) await sleep(clock, rest, signal).catch(() => undefined)
    return isThere
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
