/** Greets one other process for the groups that have a member there, all in one call, until each greeting has been answered. */
import { RpcError, type Clock, type Milliseconds, type Timer } from '@lab/rpc'
import { decodeVerdicts, encodeGreetings, type Greeting, type Verdict } from './greeting.ts'

const ANSWER_MS = 1000
/** A group that does not run there yet is asked for again after so long, and so is one for which the call failed. */
const PAUSE_MS = 250
/** In one call: some hundred kilobytes. */
const GROUPS_MAX = 1000

export interface GreeterOptions {
  readonly clock: Clock
  /** What this server says of itself; null when the group does not run here. */
  readonly greeting: (group: number) => Greeting | null
  /** Null while the process cannot be reached. */
  readonly hello: () =>
    ((body: Uint8Array, options: { readonly timeout: Milliseconds }) => Promise<Uint8Array>) | null
  /** This server's messages for a group do not count there. */
  readonly onUnwelcome: (why: string) => void
}

export class Greeter {
  readonly #options: GreeterOptions
  /** Not answered yet. */
  readonly #due = new Set<number>()
  /** To be greeted again after a while: none of these runs there, or the call failed. */
  readonly #postponed = new Set<number>()
  #busy = false
  #retry: Timer | null = null

  constructor(options: GreeterOptions) {
    this.#options = options
  }

  /** Greets for these groups, anew if it has been done before. What breaks with the link is begun again by who opens the next. */
  greet(groups: Iterable<number>): void {
    for (const group of groups) this.#due.add(group)
    if (this.#busy) return
    this.#busy = true
    // All that are to be greeted in this turn, together.
    void Promise.resolve().then(() => this.#run())
  }

  close(): void {
    this.#due.clear()
    this.#postponed.clear()
    this.#retry?.cancel()
  }

  async #run(): Promise<void> {
    try {
      for (let greetings = this.#take(); greetings.size > 0; greetings = this.#take())
        await this.#say(greetings)
    } finally {
      this.#busy = false
    }
  }

  #take(): Map<number, Greeting> {
    const greetings = new Map<number, Greeting>()
    for (const group of this.#due) {
      if (greetings.size === GROUPS_MAX) break
      this.#due.delete(group)
      const greeting = this.#options.greeting(group)
      if (greeting !== null) greetings.set(group, greeting)
    }
    return greetings
  }

  async #say(greetings: ReadonlyMap<number, Greeting>): Promise<void> {
    const groups = [...greetings.keys()]
    const hello = this.#options.hello()
    if (hello === null) return
    try {
      const answer = await hello(encodeGreetings(greetings), { timeout: ANSWER_MS })
      for (const [i, verdict] of decodeVerdicts(answer, groups.length).entries())
        this.#answered(groups[i] as number, verdict)
    } catch (thrown) {
      if (thrown instanceof RpcError && thrown.code === 'TIMEOUT')
        for (const group of groups) this.#due.add(group)
      // What was said may have been said for the last time: again, soon, if the link is there.
      else if (this.#options.hello() !== null) for (const group of groups) this.#postpone(group)
    }
  }

  #answered(group: number, verdict: Verdict): void {
    if (verdict.type === 'refused') this.#options.onUnwelcome(verdict.why)
    if (verdict.type === 'absent') this.#postpone(group)
  }

  #postpone(group: number): void {
    this.#postponed.add(group)
    this.#retry ??= this.#options.clock.setTimer(PAUSE_MS, () => {
      this.#retry = null
      const again = [...this.#postponed]
      this.#postponed.clear()
      this.greet(again)
    })
  }
}
