/** The search engine of the demo: the index is made, stored beside the texts, and asked from then on. */
import { assert } from '@lab/rpc'
import { grouped } from './format.ts'
import { load, type Loaded, type Writer } from './load.ts'
import { makeIndex, type IndexOptions } from './make-index.ts'
import { Meter } from './meter.ts'
import { Pace } from './pace.ts'
import { indexKey, Questions } from './questions.ts'
import type { Text } from './texts.ts'
import type { Reader } from './verify.ts'

export interface SearchOptions extends IndexOptions {
  readonly texts: readonly Text[]
  readonly clerk: Writer & Reader
}

const CONCURRENCY = 64

export class Search {
  readonly #options: SearchOptions
  #questions: Questions | null = null
  #asking: Promise<void> | undefined
  #isClosed = false
  /** What was stored. */
  loaded: Loaded = { pages: [], failures: [] }

  constructor(options: SearchOptions) {
    this.#options = options
  }

  /** Resolves when the index is in the store; questions are asked from then on. */
  async open(): Promise<void> {
    const { texts, clerk, say, signal } = this.#options
    const index = await makeIndex(texts, this.#options)
    const started = performance.now()
    const pages = [...index].map(([word, hits]) => ({ key: indexKey(word), pieces: [Buffer.from(hits)] }))
    this.loaded = await load(pages, {
      ...{ writer: clerk, concurrency: CONCURRENCY, signal, again: () => false },
      // Counted apart: the texts have a pace, and this has none.
      ...{ meter: new Meter(() => performance.now()), pace: new Pace(Infinity) },
    })
    const took = ((performance.now() - started) / 1000).toFixed(1)
    const questions = new Questions(clerk, index)
    this.#questions = questions
    say(`the store serves the index, ${grouped(pages.length)} keys written in ${took} s`)
    say(await questions.show(signal))
    this.#asking = questions.askOn(() => !this.#isClosed, signal)
    // Seen by close, at the latest.
    this.#asking.catch(() => undefined)
  }

  /** Asks aloud. */
  async show(): Promise<void> {
    const { say, signal } = this.#options
    if (this.#questions !== null) say(await this.#questions.show(signal))
  }

  /** Asks no more. @returns what was asked @throws what a question failed with */
  async close(): Promise<Questions> {
    this.#isClosed = true
    await this.#asking
    assert(this.#questions !== null, 'the index was served')
    return this.#questions
  }
}
