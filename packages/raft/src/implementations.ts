/** What a node answers to others: see services.ts. */
import { implement, toError, type CallContext, type Clock, type Implementation } from '@lab/rpc'
import { encodeRefusal } from './calls/refusal.ts'
import type { Driver } from './driver/driver.ts'
import type { Message } from './core/messages.ts'
import { RaftError, type LeaderHint } from './errors.ts'
import { encodeIndex, type ReadBarrier } from './read-barrier.ts'
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
        driver.input({ type: 'message', from: peer.nodeId, message: decodeMessage(bytes) satisfies Message })
      },
      readIndex: async () => encodeIndex(await driver.readIndex()),
    },
    { roles: ['peer'] },
  )
}

export function clientImplementation(options: ImplementationOptions): Implementation {
  const { driver, rule, status } = options
  return implement(ClientService, {
    propose: (payload) => answered(options, () => driver.propose(checked(options, payload))),
    open: (clientId) => answered(options, () => driver.propose(encodeOpen(checkedId(clientId), rule))),
    read: (query, context) => answered(options, () => read(options, query, context)),
    status: () => status(),
  })
}

/** Refusals are answers, not errors: they carry outcome and hint. */
async function answered(options: ImplementationOptions, ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await ask()
  } catch (thrown) {
    if (!(thrown instanceof RaftError)) throw thrown
    return encodeRefusal(thrown.code === 'NOT_LEADER' ? withHint(thrown, options.leader()) : thrown)
  }
}

async function read(
  options: ImplementationOptions,
  query: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const timeout = Math.max(1, Math.min(READ_TIMEOUT_MS, context.deadline - options.clock.now()))
  await options.barrier.pass({ timeout, signal: context.signal })
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

function checked({ commandBytesMax }: ImplementationOptions, payload: Uint8Array): Uint8Array {
  if (payload.length <= commandBytesMax) return payload
  throw new RaftError(
    'TOO_LARGE',
    `a command of ${payload.length} bytes; at most ${commandBytesMax} are taken`,
    {
      outcome: 'not-applied',
    },
  )
}

function checkedId(clientId: Uint8Array): Uint8Array {
  if (clientId.length === CLIENT_ID_BYTES) return clientId
  throw new RaftError('BAD_REQUEST', `a client id has ${CLIENT_ID_BYTES} bytes, not ${clientId.length}`, {
    outcome: 'not-applied',
  })
}

function withHint({ code, message, outcome }: RaftError, leaderHint: LeaderHint | null): RaftError {
  return new RaftError(code, message, { outcome, leaderHint: leaderHint ?? undefined })
}
