import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** A fresh folder that only we may enter, gone at the latest when this process exits. A SIGKILL leaves it behind. */
export class TemporaryFolder {
  readonly path: string
  readonly #remove = (): void => {
    rmSync(this.path, { recursive: true, force: true })
  }

  constructor(parent: string, prefix: string) {
    mkdirSync(parent, { recursive: true })
    this.path = mkdtempSync(join(parent, prefix))
    // Whoever is told twice to stop does not wait for what would have been done in order.
    process.once('exit', this.#remove)
  }

  remove(): void {
    process.off('exit', this.#remove)
    this.#remove()
  }
}
