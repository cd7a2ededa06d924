/** Questions to the index, asked again and again while machines come and go: every answer must be the right one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { millis, grouped } from './format.ts'
import type { Index } from './make-index.ts'
import type { Reader } from './verify.ts'

const ASK_EVERY_MS = 20
const ANSWER_MS = 90_000
const SHOWN_MAX = 3
/** What is long enough to mean something, where there is such a word. */
const LETTERS_MIN = 6
const OF_MOBY_DICK = ['white whale', 'Queequeg harpoon', 'doubloon']

export const indexKey = (word: string): string => `index/${word}`

/** The texts that hold every word of a question, in the order of the first word's. @param entries what the index says of each word */
export function answerOf(entries: readonly (string | undefined)[]): string[] {
  const [first = [], ...others] = entries.map((entry) =>
    (entry ?? '').split(' ').map((hit) => hit.slice(0, hit.lastIndexOf(':'))),
  )
  return first.filter((text) => text !== '' && others.every((texts) => texts.includes(text)))
}

/** What there is to ask: for texts of the user, the long words that they use most. */
export function questionsFor(index: Index): readonly string[] {
  if (wordsOf(OF_MOBY_DICK.join(' ')).every((word) => index.has(word))) return OF_MOBY_DICK
  const all = [...index].sort(([, a], [, b]) => b.length - a.length)
  const long = all.filter(([word]) => word.length >= LETTERS_MIN)
  return (long.length === 0 ? all : long).slice(0, OF_MOBY_DICK.length).map(([word]) => word)
}

function wordsOf(question: string): string[] {
  return question.toLowerCase().split(' ')
}

export class Questions {
  readonly #reader: Reader
  readonly #index: Index
  readonly #questions: readonly string[]
  #asked = 0
  #wrong = 0
  #longest = 0
  #shown = 0

  constructor(reader: Reader, index: Index) {
    this.#reader = reader
    this.#index = index
    this.#questions = questionsFor(index)
  }

  /** Where the index says of a word that is asked for. */
  get key(): string {
    return indexKey(wordsOf(this.#questions[0] ?? '')[0] ?? '')
  }

  get asked(): number {
    return this.#asked
  }

  get wrong(): number {
    return this.#wrong
  }

  /** Milliseconds that the slowest answer took. */
  get longest(): number {
    return this.#longest
  }

  /** Asks as long as `goOn` says so. @throws what a read throws, also when `signal` aborts it */
  async askOn(goOn: () => boolean, signal: AbortSignal): Promise<void> {
    while (goOn()) {
      for (const question of this.#questions) await this.#ask(question, signal)
      await sleep(ASK_EVERY_MS, undefined, { signal })
    }
  }

  /** Asks one of them, for people to see the answer. */
  async show(signal: AbortSignal): Promise<string> {
    const question = this.#questions[this.#shown++ % Math.max(1, this.#questions.length)]
    if (question === undefined) return 'the index is empty'
    const started = performance.now()
    const found = await this.#ask(question, signal)
    const more = found.length > SHOWN_MAX ? ` and ${grouped(found.length - SHOWN_MAX)} more` : ''
    const took = millis(performance.now() - started)
    return `"${question}"? ${found.slice(0, SHOWN_MAX).join(', ') || 'nowhere'}${more}, in ${took}; ${grouped(this.#asked)} asked so far, ${this.#wrong} wrong answers`
  }

  async #ask(question: string, signal: AbortSignal): Promise<string[]> {
    const words = wordsOf(question)
    const started = performance.now()
    const values = await Promise.all(
      words.map((word) => this.#reader.get(indexKey(word), { timeout: ANSWER_MS, signal })),
    )
    this.#longest = Math.max(this.#longest, performance.now() - started)
    this.#asked++
    const found = answerOf(
      values.map((value) => (value === undefined ? undefined : Buffer.from(value).toString())),
    )
    const right = answerOf(words.map((word) => this.#index.get(word)))
    if (found.join(' ') !== right.join(' ')) this.#wrong++
    return found
  }
}
