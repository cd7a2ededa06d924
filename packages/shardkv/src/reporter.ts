/** Tells the controller which configuration this group has finished, so that earlier ones can be forgotten, while this server leads. */
import type { Milliseconds } from '@lab/rpc'
import type { FollowerOptions } from './follower.ts'

/** When the controller cannot be reached. */
const RETRY_MS: Milliseconds = 1000

export class Reporter {
  readonly #options: FollowerOptions

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    const { configs, machine, nudge } = this.#options
    let told = 0
    while (!signal.aborted) {
      const { num, isSettled } = machine.migration
      if (isSettled && num > told)
        try {
          await configs.finished?.(machine.gid, num, { signal })
          told = num
        } catch {
          // Later.
        }
      // Whatever there is to tell begins with something that moves.
      if (machine.migration.num === num || !machine.migration.isSettled)
        await nudge.wait(isSettled && num > told ? RETRY_MS : Infinity, signal)
    }
  }
}
