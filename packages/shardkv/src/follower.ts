/** Brings configurations into this group's log, one by one, while this server leads. */
import type { Milliseconds } from '@lab/rpc'
import type { Config, Gid } from '@lab/shardctrler'
import { encodeConfigure } from './commands.ts'
import { proposeHere, type MoverOptions } from './mover.ts'

/** Where configurations come from: the controller's clerk, or a test. */
export interface ConfigSource {
  /** Configurations from `after + 1` on, in order, none left out, as they come. */
  watch(options: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<Config>
  /** `gid` needs no configuration before `num` any more. */
  finished?(gid: Gid, num: number, options: { readonly signal: AbortSignal }): Promise<unknown>
}

/** When the controller cannot be asked. */
const RETRY_MS: Milliseconds = 200
/** How often a configuration that cannot be applied yet is looked at, unless something moves before. */
const LOOK_MS: Milliseconds = 1000

export interface FollowerOptions extends Pick<MoverOptions, 'machine' | 'node' | 'nudge'> {
  readonly configs: ConfigSource
}

export class Follower {
  readonly #options: FollowerOptions

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** For as long as this server leads. */
  async run(signal: AbortSignal): Promise<void> {
    const { configs, machine, nudge } = this.#options
    let known = 0
    while (!signal.aborted) {
      try {
        const after = Math.max(machine.migration.num, known - 1)
        for await (const config of configs.watch({ after, signal }))
          if (!(await this.#apply(config, signal))) break
      } catch (thrown) {
        // The controller cannot be reached, or this server leads no more, or what comes next is forgotten: see Migration.refusal.
        known = firstKnown(thrown) ?? known
      }
      if (!signal.aborted) await nudge.wait(RETRY_MS, signal)
    }
  }

  /** Waits until its turn has come. @returns false when it did not get into the log */
  async #apply(config: Config, signal: AbortSignal): Promise<boolean> {
    const { machine, node, nudge } = this.#options
    const { migration } = machine
    if (config.num <= migration.num) return true
    while (!signal.aborted && machine.migration.refusal(config) !== null) {
      if (config.num !== machine.migration.num + 1) return false
      await nudge.wait(LOOK_MS, signal)
    }
    return !signal.aborted && (await proposeHere(node, encodeConfigure(config, machine.configs), signal))
  }
}

/** Of the controller's `COMPACTED`. */
function firstKnown(thrown: unknown): number | null {
  return (thrown as { readonly firstNum?: number } | null)?.firstNum ?? null
}
