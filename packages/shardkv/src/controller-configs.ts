import { Clerk, type Config, type Gid } from '@lab/shardctrler/clerk'
import type { Address } from '@lab/rpc'
import type { ConfigSource } from './follower.ts'
import type { GroupClientOptions } from './group-clients.ts'

export interface ControllerConfigsOptions extends GroupClientOptions {
  readonly servers: readonly Address[]
}

/** Configurations from the controller. Its clerk is connected when it is first needed, as the controller may start later. */
export class ControllerConfigs implements ConfigSource {
  readonly #options: ControllerConfigsOptions
  #clerk: Promise<Clerk> | null = null
  #isClosed = false

  constructor(options: ControllerConfigsOptions) {
    this.#options = options
  }

  async *watch(options: {
    readonly after: number
    readonly signal: AbortSignal
  }): AsyncGenerator<Config, void, undefined> {
    yield* (await this.#connected()).watch(options)
  }

  async finished(gid: Gid, num: number, options: { readonly signal: AbortSignal }): Promise<void> {
    await (await this.#connected()).finished(gid, num, options)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await (await this.#clerk?.catch(() => null))?.close()
  }

  async #connected(): Promise<Clerk> {
    this.#clerk ??= Clerk.connect(this.#options)
    try {
      const clerk = await this.#clerk
      if (this.#isClosed) await clerk.close()
      return clerk
    } catch (error) {
      this.#clerk = null
      throw error
    }
  }
}
