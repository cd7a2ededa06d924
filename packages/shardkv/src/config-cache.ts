import { toError } from '@lab/rpc'
import type { Config } from '@lab/shardctrler/clerk'

/** The newest configuration that this client knows. Asked for anew only when a group says that there is another. */
export class ConfigCache {
  readonly #query: () => Promise<Config>
  readonly #onNew: (config: Config) => void
  #config: Config
  #asking: Promise<void> | null = null

  constructor(config: Config, query: () => Promise<Config>, onNew: (config: Config) => void) {
    this.#config = config
    this.#query = query
    this.#onNew = onNew
  }

  get config(): Config {
    return this.#config
  }

  /** Asks the controller, once for all who want to know at a time. Never rejects: what is known stays. */
  refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  async #ask(): Promise<void> {
    try {
      const config = await this.#query()
      if (config.num <= this.#config.num) return
      this.#config = config
      this.#onNew(config)
    } catch (thrown) {
      this.lastError = toError(thrown)
    }
  }

  /** Why the controller could not be asked the last time. */
  lastError: Error | null = null
}
