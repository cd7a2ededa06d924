/** What a node answers to others: see services.ts. */
import { implement, toError, type CallContext, type Clock, type Implementation } from '@lab/rpc'
import { encodeRefusal } from './calls/refusal.ts'
import type { Driver } from './driver/driver.ts'
import type { Message } from './core/messages.ts'
import { RaftError, badRequest, type LeaderHint } from './errors.ts'
import { answerReadIndex, type ReadBarrier } from './read-barrier.ts'
import { decodeRead } from './reads.ts'
import { CLIENT_ID_BYTES, encodeOpen, type SessionRule } from './rsm/envelope.ts'
import type { ReplicatedMachine } from './rsm/replicated-machine.ts'
import { ClientService, PeerService, type ServerStatus } from './services.ts'
import { decodeMessage } from './wire.ts'

export interface ImplementationOptions {
  readonly clock: Clock
  readonly driver: Driver
  readonly barrier: ReadBarrier
  readonly machine: ReplicatedMachine
  readonly rule: SessionRule
  readonly commandBytesMax: number
  readonly leader: () => LeaderHint | null
  readonly status: () => ServerStatus
}

const ANSWERED = 1
/** Some milliseconds for the answer to travel: a caller that has given up needs none. */
const READ_TIMEOUT_MS = 10_000

export function peerImplementation({ driver }: ImplementationOptions): Implementation {
  return implement(
    PeerService,
    {
      message: (bytes, { peer }) => {
        driver.counters.messagesReceived++
        driver.counters.bytesReceived += bytes.length
        driver.input({ type: 'message', from: peer.nodeId, message: decodeMessage(bytes) satisfies Message })
      },
      readIndex: (question) => answerReadIndex(driver, question),
    },
    { roles: ['peer'] },
  )
}

export function clientImplementation(options: ImplementationOptions): Implementation {
  const { rule, status } = options
  return implement(ClientService, {
    propose: (payload) => proposed(options, checked(options, payload)),
    open: (clientId) => proposed(options, opening(rule, clientId)),
    read: (body, context) =>
      read(options, body, context).catch((thrown: unknown) => refusedRead(options, thrown)),
    status: () => status(),
  })
}

/** Refusals are answers, not errors: they carry outcome and hint. */
function proposed(
  options: ImplementationOptions,
  payload: Uint8Array | RaftError,
): Promise<Uint8Array> | Uint8Array {
  if (payload instanceof RaftError) return encodeRefusal(payload)
  return new Promise((resolve) => {
    options.driver.submit(payload, resolve, (error) => {
      resolve(refusal(options, error))
    })
  })
}

function refusal({ leader }: ImplementationOptions, error: RaftError): Uint8Array {
  return encodeRefusal(error.code === 'NOT_LEADER' ? withHint(error, leader()) : error)
}

function refusedRead(options: ImplementationOptions, thrown: unknown): Uint8Array {
  if (thrown instanceof RaftError) return refusal(options, thrown)
  throw toError(thrown)
}

async function read(
  options: ImplementationOptions,
  body: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const { wanted, query } = decodeRead(body)
  const timeout = Math.max(1, Math.min(READ_TIMEOUT_MS, context.deadline - options.clock.now()))
  await options.barrier.pass(wanted, { timeout, signal: context.signal })
  const answer = ask(options.machine, query)
  const bytes = new Uint8Array(1 + answer.length)
  bytes[0] = ANSWERED
  bytes.set(answer, 1)
  return bytes
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

function checked({ commandBytesMax }: ImplementationOptions, payload: Uint8Array): Uint8Array | RaftError {
  if (payload.length <= commandBytesMax) return payload
  return new RaftError(
    'TOO_LARGE',
    `a command of ${payload.length} bytes; at most ${commandBytesMax} are taken`,
    {
      outcome: 'not-applied',
    },
  )
}

function opening(rule: SessionRule, clientId: Uint8Array): Uint8Array | RaftError {
  if (clientId.length === CLIENT_ID_BYTES) return encodeOpen(clientId, rule)
  return badRequest(`a client id has ${CLIENT_ID_BYTES} bytes, not ${clientId.length}`, {
    outcome: 'not-applied',
  })
}

function withHint({ code, message, outcome }: RaftError, leaderHint: LeaderHint | null): RaftError {
  return new RaftError(code, message, { outcome, leaderHint: leaderHint ?? undefined })
}
