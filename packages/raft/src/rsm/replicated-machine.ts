/**
 * The user's state machine as the log sees it: envelopes opened, sessions kept, results and errors turned into bytes. Every
 * replica applies what it decoded, the one that proposed too.
 */
import { toError, type Codec } from '@lab/rpc'
import { RECORD_HEADER_BYTES, type Entry } from '../entry.ts'
import { RaftError, badRequest } from '../errors.ts'
import type { ApplyContext, StateMachine } from '../state-machine.ts'
import { StorageError } from '../storage.ts'
import { decodeEnvelope, type Envelope } from './envelope.ts'
import { ReplyStatus, encodeResult, encodeStatus, encodeThrown } from './reply.ts'
import { SessionTable } from './sessions.ts'
import { decodeStateHeader, encodeStateHeader, splitState } from './state-stream.ts'

export interface ReplicatedMachineOptions {
  /** Null for a server that only takes part in elections. */
  readonly machine: StateMachine | null
  readonly codec: Codec<unknown>
  readonly resultCodec: Codec<unknown>
  readonly queryCodec: Codec<unknown>
  readonly answerCodec: Codec<unknown>
}

type SessionCommand = Extract<Envelope, { kind: 'session' }>

export class ReplicatedMachine {
  readonly #options: ReplicatedMachineOptions
  #sessions = new SessionTable()
  /** Log time of the last command applied: what the machine sees never decreases. */
  #time = 0

  constructor(options: ReplicatedMachineOptions) {
    this.#options = options
  }

  /** Whether the whole state can be put into a snapshot. */
  get canSnapshot(): boolean {
    const { machine } = this.#options
    return machine === null || machine.snapshot !== undefined
  }

  /** How many clients are remembered. */
  get sessions(): number {
    return this.#sessions.size
  }

  /** Applies one command entry. Never throws. @returns the reply, see reply.ts */
  apply(entry: Entry): Uint8Array {
    return this.#payload(entry.slab, entry.start + RECORD_HEADER_BYTES, entry.end, entry)
  }

  /** The same for an envelope that a machine above found in one of its own commands: see rsm/index.ts. */
  execute(envelope: Uint8Array, context: ApplyContext): Uint8Array {
    return this.#payload(envelope, 0, envelope.length, context)
  }

  /** Answers a query from a process that is no member. @throws what the machine or a codec throws */
  query(query: Uint8Array): Uint8Array {
    const { machine, queryCodec, answerCodec } = this.#options
    if (machine?.query === undefined)
      throw badRequest('the state machine has no query method to read through')
    return answerCodec.encode(machine.query(queryCodec.decode(query) as never))
  }

  /** The state of this moment, whatever is applied while the chunks are drawn. @throws {RaftError} `STATE_MACHINE_FAILED` */
  snapshot(): AsyncIterable<Uint8Array> {
    const { machine } = this.#options
    try {
      return concat(this.header(), machine?.snapshot?.() ?? [])
    } catch (cause) {
      throw faultOf('snapshot', cause)
    }
  }

  /** What a snapshot begins with, the machine's own bytes left out: log time, hash, sessions. */
  header(): Uint8Array {
    const hash = this.#options.machine?.hash?.() ?? null
    return encodeStateHeader({ time: this.#time, hash, sessions: this.#sessions.encode() })
  }

  /**
   * Takes over the sessions of a state that comes out of another log, where the time was another: each keeps the age that it had.
   *
   * @param header what {@link header} gave there @param now log time here
   * @throws {ProtocolError}
   */
  adopt(header: Uint8Array, now: number): void {
    const { time, sessions } = decodeStateHeader(header)
    this.#sessions = SessionTable.decode(sessions, now - time)
    this.#time = now
  }

  /**
   * Replaces the whole state.
   *
   * @throws {RaftError} `STATE_MACHINE_FAILED` when the machine cannot take it, or has another hash afterwards
   */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { machine } = this.#options
    const { header, rest } = await splitState(chunks)
    const sessions = SessionTable.decode(header.sessions)
    if (machine?.restore === undefined) for await (const chunk of rest) refuseState(chunk)
    else await told('restore', () => machine.restore?.(rest))
    const hash = machine?.hash?.() ?? null
    if (header.hash !== null && hash !== null && header.hash !== hash >>> 0)
      throw new RaftError(
        'STATE_MACHINE_FAILED',
        'the state restored from a snapshot has another hash than the one saved',
      )
    this.#sessions = sessions
    this.#time = header.time
  }

  #payload(slab: Uint8Array, start: number, end: number, context: ApplyContext): Uint8Array {
    this.#time = Math.max(this.#time, context.time)
    let envelope: Envelope
    try {
      envelope = decodeEnvelope(slab, start, end)
    } catch (thrown) {
      return encodeThrown(context, thrown)
    }
    switch (envelope.kind) {
      case 'plain':
        return this.#command(context, envelope.command)
      case 'open':
        this.#sessions.open(envelope.clientId, this.#time, envelope.rule)
        return encodeStatus(context, ReplyStatus.opened)
      case 'session':
        return this.#sessionCommand(context, envelope)
    }
  }

  #sessionCommand(
    entry: ApplyContext,
    { client, sequenceNumber, firstUnacknowledged, command }: SessionCommand,
  ): Uint8Array {
    const admission = this.#sessions.admit(client, sequenceNumber, firstUnacknowledged, this.#time)
    switch (admission.verdict) {
      case 'new': {
        const reply = this.#command(entry, command)
        this.#sessions.complete(admission.session, sequenceNumber, reply)
        return reply
      }
      case 'duplicate':
        return admission.reply
      case 'expired':
        return encodeStatus(entry, ReplyStatus.sessionExpired)
      case 'acknowledged':
        return encodeStatus(entry, ReplyStatus.acknowledged)
      case 'out-of-window':
        return encodeStatus(entry, ReplyStatus.outOfWindow)
    }
  }

  #command(entry: ApplyContext, bytes: Uint8Array): Uint8Array {
    const { machine, codec, resultCodec } = this.#options
    if (machine === null) return encodeStatus(entry, ReplyStatus.noStateMachine)
    const context: ApplyContext = { index: entry.index, term: entry.term, time: this.#time }
    let result: unknown
    try {
      result = machine.apply(codec.decode(bytes), context)
    } catch (thrown) {
      return encodeThrown(entry, thrown)
    }
    return encodeResult(entry, result, resultCodec)
  }
}

/**
 * Draws the machine's first chunk now: a `snapshot` written as a generator begins to look at the state only then, and a
 * command applied in between would get into the snapshot.
 */
function concat(
  header: Uint8Array,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  const first = iterator.next()
  return draw(header, first, iterator)
}

async function* draw(
  header: Uint8Array,
  first: Promise<IteratorResult<Uint8Array>> | IteratorResult<Uint8Array>,
  iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let over = false
  try {
    yield header
    let next = await first
    while (next.done !== true) {
      yield next.value
      next = await iterator.next()
    }
    over = true
  } catch (cause) {
    throw faultOf('snapshot', cause)
  } finally {
    // Given up halfway: the machine need not keep the state of that moment any longer.
    if (!over) await iterator.return?.()
  }
}

/** What the machine throws where only stopping is safe, told as its fault. */
async function told<T>(method: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw faultOf(method, cause)
  }
}

function faultOf(method: string, cause: unknown): Error {
  // A damaged snapshot is the storage's fault, though it shows while the machine reads it.
  if (cause instanceof RaftError || cause instanceof StorageError) return cause
  const { message } = toError(cause)
  return new RaftError('STATE_MACHINE_FAILED', `the state machine's ${method}() threw: ${message}`, { cause })
}

function refuseState(chunk: Uint8Array): void {
  if (chunk.length > 0)
    throw new RaftError(
      'STATE_MACHINE_FAILED',
      'a snapshot holds state, but this server has no state machine with restore()',
    )
}
