/** The server's end of {@link ConfigService}: hands out configurations as this server applies them. */
import { WaitList, implement, onAbort, type Implementation } from '@lab/rpc'
import { compacted } from './compacted.ts'
import { configCodec } from './config-codec.ts'
import { ConfigService } from './config-service.ts'
import type { Controller } from './controller.ts'

export class ConfigWatches {
  readonly #controller: Controller
  readonly #waiting = new WaitList<() => void>()
  #isClosed = false

  constructor(controller: Controller) {
    this.#controller = controller
    controller.listen(() => {
      this.#wake()
    })
  }

  implementation(): Implementation {
    return implement(ConfigService, { watch: (after, { signal }) => this.#watch(after, signal) })
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  async *#watch(after: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for (let next = after + 1; !this.#isClosed && !signal.aborted;) {
      const answer = this.#controller.query({ op: 'config', num: next })
      if (answer.status === 'compacted') throw compacted(next, answer.firstNum)
      if (answer.status === 'config' && answer.config.num === next) {
        next++
        yield configCodec.encode(answer.config)
      } else await this.#changed(signal)
    }
  }

  async #changed(signal: AbortSignal): Promise<void> {
    let off: () => void = () => {}
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.#waiting.leave(place)
        resolve()
      }
      const place = this.#waiting.add(end)
      off = onAbort(signal, end)
    })
    off()
  }

  #wake(): void {
    for (const end of this.#waiting.takeAll()) end()
  }
}
