/** The floor under any log: bytes written to a file filled with zeros before, durable when the write returns. */
import fs from 'node:fs'

const FILE_BYTES = 64 * 1024 * 1024
const O_DSYNC = process.platform === 'linux' ? fs.constants.O_DSYNC : 0

/** Overwrites one file again and again; nothing is framed, indexed or prepared. */
export class BareFile {
  readonly #descriptor: number
  #position = 0

  constructor(path: string) {
    fs.writeFileSync(path, new Uint8Array(FILE_BYTES))
    this.#descriptor = fs.openSync(path, fs.constants.O_RDWR | O_DSYNC)
    fs.fsyncSync(this.#descriptor)
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#position + bytes.length > FILE_BYTES) this.#position = 0
    const position = this.#position
    this.#position += bytes.length
    return new Promise((resolve, reject) => {
      fs.write(this.#descriptor, bytes, 0, bytes.length, position, (error, count) => {
        if (error !== null) reject(error)
        else if (count !== bytes.length) reject(new Error('the disk took only a part'))
        else if (O_DSYNC !== 0) resolve()
        else
          fs.fdatasync(this.#descriptor, (failed) => {
            if (failed !== null) reject(failed)
            else resolve()
          })
      })
    })
  }

  close(): void {
    fs.closeSync(this.#descriptor)
  }
}
