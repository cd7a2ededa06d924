/**
 * Configurations from the controller, for all groups of a process: one watch, however many they are, so that groups with nothing
 * to do cost nothing. A group that is behind asks for what it has missed.
 */
import { Clerk, type Config, type Gid } from '@lab/shardctrler/clerk'
import { sleep, systemClock, type Address, type Clock, type Milliseconds } from '@lab/rpc'
import type { ConfigSource } from './follower.ts'
import type { GroupClientOptions } from './group-clients.ts'
import { Nudge } from './nudge.ts'

export interface ControllerConfigsOptions extends GroupClientOptions {
  readonly servers: readonly Address[]
}

/** When the controller cannot be asked. */
const RETRY_MS: Milliseconds = 200

export class ControllerConfigs implements ConfigSource {
  readonly #options: ControllerConfigsOptions
  readonly #clock: Clock
  /** Connected when it is first needed, as the controller may start later. */
  #clerk: Promise<Clerk> | null = null
  readonly #closing = new AbortController()
  /** The watch; null before the first group asks. */
  #following: Promise<void> | null = null
  #latest: Config | null = null
  /** Tells of a later one. */
  readonly #news: Nudge
  /** Earlier ones that are being asked for: groups that start together ask for the same. */
  readonly #asked = new Map<number, Promise<Config>>()

  constructor(options: ControllerConfigsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#news = new Nudge(this.#clock)
  }

  async *watch({
    after,
    signal,
  }: {
    readonly after: number
    readonly signal: AbortSignal
  }): AsyncGenerator<Config, void, undefined> {
    this.#following ??= this.#follow()
    for (let last = after; !signal.aborted && !this.#closing.signal.aborted;) {
      const latest = this.#latest
      if (latest === null || latest.num <= last) await this.#news.wait(Infinity, signal)
      else {
        last++
        yield latest.num === last ? latest : await this.#earlier(last)
      }
    }
  }

  async finished(gid: Gid, num: number, options: { readonly signal: AbortSignal }): Promise<void> {
    await (await this.#connected()).finished(gid, num, options)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#news.wake()
    await (await this.#clerk?.catch(() => null))?.close()
    await this.#following
  }

  /** Until closed: whatever goes wrong, it begins again with the latest. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        const clerk = await this.#connected()
        const first = await clerk.query(-1, { signal })
        this.#learn(first)
        for await (const config of clerk.watch({ after: first.num, signal })) this.#learn(config)
      } catch {
        // The controller cannot be reached, or has forgotten what comes next.
        await sleep(this.#clock, RETRY_MS, signal).catch(() => undefined)
      }
    }
  }

  #learn(config: Config): void {
    if (config.num <= (this.#latest?.num ?? -1)) return
    this.#latest = config
    this.#news.wake()
  }

  /** @throws {ControllerError} `COMPACTED` @throws {RaftError} when the controller does not answer */
  async #earlier(num: number): Promise<Config> {
    const asked =
      this.#asked.get(num) ??
      this.#connected()
        .then((clerk) => clerk.query(num))
        .finally(() => this.#asked.delete(num))
    this.#asked.set(num, asked)
    return asked
  }

  async #connected(): Promise<Clerk> {
    this.#clerk ??= Clerk.connect(this.#options)
    try {
      const clerk = await this.#clerk
      if (this.#closing.signal.aborted) await clerk.close()
      return clerk
    } catch (error) {
      this.#clerk = null
      throw error
    }
  }
}
