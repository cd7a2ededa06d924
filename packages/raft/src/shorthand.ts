import type { ApplyContext, StateMachine } from './state-machine.ts'
import { badRequest } from './errors.ts'

/** What {@link stateMachine} takes. */
export interface Shorthand<S, C, R, Q, A> {
  /** The state before the first command: anything that JSON can hold. Copied, never changed. */
  readonly initial: S
  /** Changes `state` in place, or nothing but returns; see {@link StateMachine.apply}. When it throws, `state` must be as before. */
  apply(state: S, command: C, context: ApplyContext): R
  query?(state: S, query: Q): A
}

/** A state machine that holds its state in the open. */
export interface JsonStateMachine<S, C, R, Q, A> extends StateMachine<C, R, Q, A> {
  /** For `node.read((machine) => machine.state…)`: look, do not touch. */
  readonly state: S
  apply(command: C, context: ApplyContext): R
  snapshot(): Iterable<Uint8Array>
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>
}

const CHUNK_BYTES = 64 * 1024

/**
 * A state machine from a plain object and a function, with JSON snapshots for free. For states of up to some megabytes: a
 * snapshot is one `JSON.stringify`.
 *
 *     stateMachine({ initial: { total: 0 }, apply: (state, { add }: { add: number }) => (state.total += add) })
 *
 * @throws {RaftError} `BAD_REQUEST` when JSON cannot hold `initial`
 */
export function stateMachine<S, C, R, Q = never, A = unknown>(
  shorthand: Shorthand<S, C, R, Q, A>,
): JsonStateMachine<S, C, R, Q, A> {
  const first = JSON.stringify(shorthand.initial) as string | undefined
  if (first === undefined) throw badRequest('initial must be something that JSON can hold, not undefined')
  return new JsonMachine(shorthand, JSON.parse(first) as S)
}

class JsonMachine<S, C, R, Q, A> implements JsonStateMachine<S, C, R, Q, A> {
  readonly #shorthand: Shorthand<S, C, R, Q, A>
  #state: S

  constructor(shorthand: Shorthand<S, C, R, Q, A>, state: S) {
    this.#shorthand = shorthand
    this.#state = state
  }

  get state(): S {
    return this.#state
  }

  apply(command: C, context: ApplyContext): R {
    return this.#shorthand.apply(this.#state, command, context)
  }

  query(query: Q): A {
    const shorthand = this.#shorthand
    if (shorthand.query === undefined) throw badRequest('this state machine was made without query()')
    return shorthand.query(this.#state, query)
  }

  *#chunks(bytes: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
  }

  snapshot(): Iterable<Uint8Array> {
    // Stringified now, not when the first chunk is drawn: the snapshot is of this moment.
    return this.#chunks(new TextEncoder().encode(JSON.stringify(this.#state)))
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    let text = ''
    for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
    this.#state = JSON.parse(text + decoder.decode()) as S
  }
}
