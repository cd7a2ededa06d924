/** The process that loads a store, from without. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Order, Told } from './load-process.ts'

export class Loader {
  readonly #process: ChildProcess = fork(join(import.meta.dirname, 'load-process.ts'))
  readonly #over = new AbortController()

  constructor() {
    this.#process.once('exit', () => {
      this.#over.abort(new Error('the process with the load has ended'))
    })
  }

  /** Resolves when it is carried out. @throws {Error} when the process has ended */
  async tell(order: Order): Promise<Told> {
    this.#process.send(order)
    const [told] = (await once(this.#process, 'message', { signal: this.#over.signal })) as [Told]
    return told
  }

  stop(): void {
    this.#process.removeAllListeners('exit')
    this.#process.kill()
  }
}
