/** A segment of a map output that another worker has, as a file: read from its beginning, one piece ahead of who reads. */
import { toError } from '@lab/rpc'
import type { TaskFile } from '../data/files.ts'
import type { Segment } from '../data/spill-format.ts'
import { FETCH_BYTES_MAX } from '../task/work.ts'
import { copyInto, Window } from './window.ts'

export interface Fetching {
  /** Has the bytes put into the window, some time. */
  readonly ask: (position: number, length: number, window: Window) => void
  /** What to throw when they cannot be had. */
  readonly failure: (why: string) => Error
}

/** Windows to be used again, of all the files of a thread. */
const spare: Window[] = []

export class FetchedFile implements TaskFile {
  readonly path: string
  readonly #fetching: Fetching
  readonly #end: number
  /** What is being read, and what was asked for. */
  #now: Window | undefined
  #next: Window | undefined
  #bytes: Uint8Array = new Uint8Array(0)
  /** Where those begin, and where the piece begins that is to be asked for. */
  #position: number
  #asked: number

  constructor(path: string, { offset, bytes }: Segment, fetching: Fetching) {
    this.path = path
    this.#fetching = fetching
    this.#position = this.#asked = offset
    this.#end = offset + bytes
    this.#next = this.#askNext(spare.pop())
  }

  size(): number {
    return this.#end
  }

  /** Positions only rise. */
  read(into: Uint8Array, position: number): number {
    let done = 0
    while (done < into.length && position + done < this.#end) {
      const at = position + done - this.#position
      if (at >= this.#bytes.length) this.#turn()
      else {
        const some = this.#bytes.subarray(at, at + into.length - done)
        copyInto(into.subarray(done, done + some.length), some)
        done += some.length
      }
    }
    return done
  }

  write(): void {
    throw new Error(`${this.path} is another worker's`)
  }

  sync(): void {
    // Nothing is written.
  }

  close(): void {
    // Into one that is still waited for somebody may write.
    for (const window of [this.#now, this.#next]) if (window?.isPending === false) spare.push(window)
    this.#now = this.#next = undefined
    this.#bytes = new Uint8Array(0)
  }

  #turn(): void {
    const [before, window] = [this.#now, this.#next]
    if (window === undefined) throw new Error(`${this.path} is not read in order`)
    this.#position += this.#bytes.length
    try {
      this.#bytes = window.wait()
    } catch (thrown) {
      throw this.#fetching.failure(toError(thrown).message)
    }
    this.#now = window
    this.#next = this.#askNext(before ?? spare.pop())
  }

  #askNext(window = new Window()): Window | undefined {
    const length = Math.min(FETCH_BYTES_MAX, this.#end - this.#asked)
    if (length === 0) {
      spare.push(window)
      return undefined
    }
    window.expect()
    this.#fetching.ask(this.#asked, length, window)
    this.#asked += length
    return window
  }
}
