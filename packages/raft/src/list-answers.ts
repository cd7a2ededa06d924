/** What a server makes of the lists of clients: commands and queries, see services.ts. */
import { ByteReader, toError, type CallContext, type Clock, type Milliseconds } from '@lab/rpc'
import { Answers, ITEM_HEAD_BYTES, readItems } from './calls/list.ts'
import { encodeRefusal } from './calls/refusal.ts'
import type { Driver } from './driver/driver.ts'
import type { Proposing } from './driver/pending-proposals.ts'
import { RaftError, type LeaderHint, type Outcome } from './errors.ts'
import type { ReadBarrier } from './read-barrier.ts'
import { decodeWanted, type Wanted } from './reads.ts'
import type { ReplicatedMachine } from './rsm/replicated-machine.ts'

/** What lists are answered with. */
export interface ListAnswering {
  readonly clock: Clock
  readonly driver: Driver
  readonly barrier: ReadBarrier
  readonly machine: ReplicatedMachine
  readonly commandBytesMax: number
  readonly leader: () => LeaderHint | null
}

/** Some milliseconds for the answer to travel: a caller that has given up needs none. */
export const READ_TIMEOUT_MS = 10_000
/** Answers of so many bytes do not wait for the rest; and so long may the event loop be held by queries, about. */
const ANSWERS_BYTES_MAX = 1024 * 1024

type Context = Pick<CallContext, 'responseBytesMax' | 'part' | 'deadline'>

/**
 * Proposes all commands of a list, each an entry of its own, and answers when all are settled. What is refused at once, while others
 * wait, is told at once.
 *
 * @throws {ProtocolError}
 */
export function proposeAll(
  options: ListAnswering,
  list: Uint8Array,
  context: Context,
): Promise<Uint8Array> | Uint8Array {
  const payloads = readItems(new ByteReader(list))
  const answering = new ProposedList(options, context, payloads.length)
  const { commandBytesMax } = options
  if (payloads.some(({ length }) => length > commandBytesMax)) submitFitting(options, payloads, answering)
  else options.driver.submit(payloads, answering)
  return answering.begun()
}

/** Some of them are larger than a command may be. */
function submitFitting(
  { driver, commandBytesMax }: ListAnswering,
  payloads: readonly Uint8Array[],
  answering: ProposedList,
): void {
  const places: number[] = []
  for (const [place, { length }] of payloads.entries())
    if (length > commandBytesMax) answering.failed(place, tooLarge(length, commandBytesMax))
    else places.push(place)
  driver.submit(
    places.map((place) => payloads[place] as Uint8Array),
    answering.at(places),
  )
}

/** The answers to a list of commands, as they come. */
class ProposedList implements Proposing {
  readonly #options: ListAnswering
  readonly #context: Context
  readonly #answers = new Answers()
  readonly #partBytes: number
  #left: number
  /** The last refusal: mostly many are refused for one reason. */
  #refused: { readonly error: RaftError; readonly answer: Uint8Array } | null = null
  #resolve: ((answers: Uint8Array) => void) | null = null

  constructor(options: ListAnswering, context: Context, count: number) {
    this.#options = options
    this.#context = context
    this.#partBytes = answersBytesMax(context)
    this.#left = count
  }

  applied(place: number, reply: Uint8Array): void {
    const error = unfit(reply, this.#context, 'unknown')
    this.#settle(place, error === null ? reply : encodeRefusal(error))
  }

  failed(place: number, error: RaftError): void {
    if (this.#refused?.error !== error) this.#refused = { error, answer: refusal(this.#options, error) }
    this.#settle(place, this.#refused.answer)
  }

  /** For some of the list only. */
  at(places: readonly number[]): Proposing {
    return {
      applied: (at, reply) => this.applied(places[at] as number, reply),
      failed: (at, error) => this.failed(places[at] as number, error),
    }
  }

  /** All have been handed over. */
  begun(): Promise<Uint8Array> | Uint8Array {
    if (this.#left === 0) return this.#answers.take()
    if (this.#answers.bytes > 0) this.#context.part(this.#answers.take())
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  #settle(place: number, answer: Uint8Array): void {
    const { bytes } = this.#answers
    if (bytes > 0 && bytes + answer.length > this.#partBytes) this.#context.part(this.#answers.take())
    this.#answers.add(place, answer)
    this.#left--
    if (this.#left === 0) this.#resolve?.(this.#answers.take())
  }
}

/**
 * Answers queries after one passing of the barrier, which begins when all of them have arrived. What would make the response too large
 * is left out.
 *
 * @throws {RaftError} for all of them @throws {ProtocolError}
 */
export async function readAll(
  options: ListAnswering,
  list: Uint8Array,
  context: Context,
): Promise<Uint8Array> {
  const reader = new ByteReader(list)
  const wanted = decodeWanted(reader)
  const queries = readItems(reader)
  const waited = await pass(options, wanted, queries, context)
  const answers = new Answers()
  const most = answersBytesMax(context)
  for (const [place, query] of queries.entries()) {
    const { answer, isRefusal } = answerOf(options, query, context)
    if (place > 0 && answers.bytes + answer.length + ITEM_HEAD_BYTES > most) break
    if (isRefusal) answers.add(place, answer)
    else answers.addAnswered(place, answer)
    options.driver.meter.requests.query(query, isRefusal ? 'COMMAND_FAILED' : 'ok', waited)
  }
  return answers.take()
}

/** @returns how long it took: of what a query takes, all that counts */
async function pass(
  { barrier, clock, driver }: ListAnswering,
  wanted: Wanted,
  queries: readonly Uint8Array[],
  { deadline }: Context,
): Promise<Milliseconds> {
  const begun = clock.now()
  const timeout = Math.max(1, Math.min(READ_TIMEOUT_MS, deadline - begun))
  try {
    await barrier.pass(wanted, { timeout, canMove: true }, queries.length)
  } catch (thrown) {
    const outcome = thrown instanceof RaftError ? thrown.code : 'HANDLER_FAILED'
    for (const query of queries) driver.meter.requests.query(query, outcome, clock.now() - begun)
    throw thrown
  }
  return clock.now() - begun
}

function answerOf(
  options: ListAnswering,
  query: Uint8Array,
  context: Context,
): { readonly answer: Uint8Array; readonly isRefusal: boolean } {
  try {
    const answer = ask(options.machine, query)
    const error = unfit(answer, context)
    return error === null ? { answer, isRefusal: false } : { answer: encodeRefusal(error), isRefusal: true }
  } catch (thrown) {
    if (thrown instanceof RaftError) return { answer: refusal(options, thrown), isRefusal: true }
    throw thrown
  }
}

/** What the machine throws is its answer to this query, and no fault of the server's. */
function ask(machine: ReplicatedMachine, query: Uint8Array): Uint8Array {
  try {
    return machine.query(query)
  } catch (thrown) {
    if (thrown instanceof RaftError) throw thrown
    const error = toError(thrown)
    const remoteCode = 'code' in error && typeof error.code === 'string' ? error.code : undefined
    throw new RaftError('COMMAND_FAILED', `the state machine refused: ${error.message}`, {
      remoteCode,
      cause: thrown,
    })
  }
}

/** Refusals are answers, not errors: they carry outcome and hint. */
export function refusal({ leader }: Pick<ListAnswering, 'leader'>, error: RaftError): Uint8Array {
  return encodeRefusal(error.code === 'NOT_LEADER' ? withHint(error, leader()) : error)
}

/** An answer that fits no message is told as that, and fails none of the others. */
function unfit(answer: Uint8Array, { responseBytesMax }: Context, outcome?: Outcome): RaftError | null {
  if (answer.length + 2 * ITEM_HEAD_BYTES <= responseBytesMax) return null
  const message = `the answer has ${answer.length} bytes, more than fit a message of ${responseBytesMax}`
  return new RaftError('TOO_LARGE', message, { outcome })
}

function answersBytesMax({ responseBytesMax }: Context): number {
  return Math.min(ANSWERS_BYTES_MAX, responseBytesMax - 2 * ITEM_HEAD_BYTES)
}

function tooLarge(bytes: number, bytesMax: number): RaftError {
  return new RaftError('TOO_LARGE', `a command of ${bytes} bytes; at most ${bytesMax} are taken`, {
    outcome: 'not-applied',
  })
}

function withHint({ code, message, outcome }: RaftError, leaderHint: LeaderHint | null): RaftError {
  return new RaftError(code, message, { outcome, leaderHint: leaderHint ?? undefined })
}
