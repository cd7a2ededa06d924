/** What a node answers to others: see services.ts. */
import { implement, toError, type CallContext, type Clock, type Implementation } from '@lab/rpc'
import { encodeRefusal } from './calls/refusal.ts'
import type { Admin } from './admin/admin.ts'
import type { AdminMethod } from './admin/types.ts'
import type { Acquaintances } from './driver/acquaintances.ts'
import type { Driver } from './driver/driver.ts'
import { ABSENT, WELCOME, decodeGreetings, encodeVerdicts, type Verdict } from './driver/greeting.ts'
import { RaftError, badRequest, type LeaderHint } from './errors.ts'
import { answerReadIndex, type ReadBarrier } from './read-barrier.ts'
import { decodeRead } from './reads.ts'
import { writeBackup } from './recovery/backup.ts'
import { CLIENT_ID_BYTES, encodeOpen, type SessionRule } from './rsm/envelope.ts'
import type { ReplicatedMachine } from './rsm/replicated-machine.ts'
import type { NodeId } from './types.ts'
import type { Storage } from './storage.ts'
import { AdminService, ClientService, PeerService, fromGroup, type ServerStatus } from './services.ts'
import { decodeGroupMessage } from './wire.ts'

export interface ImplementationOptions {
  readonly clock: Clock
  readonly driver: Driver
  readonly acquaintances: Acquaintances
  readonly admin: Admin
  readonly barrier: ReadBarrier
  readonly machine: ReplicatedMachine
  readonly clusterId: string
  readonly storage: Pick<Storage, 'openSnapshot'>
  readonly rule: SessionRule
  readonly commandBytesMax: number
  readonly leader: () => LeaderHint | null
  readonly status: () => ServerStatus
}

const ANSWERED = 1
/** Some milliseconds for the answer to travel: a caller that has given up needs none. */
const READ_TIMEOUT_MS = 10_000
/** Servers to be added may have much to receive. */
const ADMIN_TIMEOUT_MS = 3_600_000

/** What answers for a group; null when it does not run here. */
export type GroupAnswers = (group: number) => ImplementationOptions | null

/** @param onBeat the beat of a process arrived */
export function peerImplementation(
  answers: GroupAnswers,
  onBeat: (peer: NodeId, beat: Uint8Array) => void,
): Implementation {
  return implement(
    PeerService,
    {
      message: (bytes, { peer }) => {
        const { group, message } = decodeGroupMessage(bytes)
        const options = answers(group)
        // As to a server that is down: the sender asks again.
        if (options === null) return
        const { driver, acquaintances } = options
        driver.counters.messagesReceived++
        driver.counters.bytesReceived += bytes.length
        if (!acquaintances.admits(peer)) return
        driver.input({ type: 'message', from: peer.nodeId, message })
      },
      readIndex: async (bytes) => {
        const { group, body } = fromGroup(bytes)
        const options = answers(group)
        if (options === null) throw notHere(group)
        return answerReadIndex(options.driver, body)
      },
      beat: (bytes, { peer }) => onBeat(peer.nodeId, bytes),
      hello: (bytes, { peer }) =>
        encodeVerdicts(
          [...decodeGreetings(bytes)].map(([group, greeting]): Verdict => {
            const options = answers(group)
            if (options === null) return ABSENT
            const why = options.acquaintances.greeted(peer, greeting)
            return why === null ? WELCOME : { type: 'refused', why }
          }),
        ),
    },
    { roles: ['peer'] },
  )
}

export function clientImplementation(answers: GroupAnswers): Implementation {
  const answered = (
    bytes: Uint8Array,
    answer: (options: ImplementationOptions, body: Uint8Array) => Promise<Uint8Array> | Uint8Array,
  ): Promise<Uint8Array> | Uint8Array => {
    const { group, body } = fromGroup(bytes)
    const options = answers(group)
    return options === null ? encodeRefusal(notHere(group)) : answer(options, body)
  }
  return implement(ClientService, {
    propose: (bytes) => answered(bytes, (options, payload) => proposed(options, checked(options, payload))),
    open: (bytes) => answered(bytes, (options, id) => proposed(options, opening(options.rule, id))),
    read: (bytes, context) =>
      answered(bytes, (options, body) =>
        read(options, body, context).catch((thrown: unknown) => refusedRead(options, thrown)),
      ),
    membership: (bytes, context) =>
      answered(bytes, (options, body) => administer(options, 'membership', body, context)),
    status: (group = 0) => {
      const options = answers(group)
      if (options === null) throw notHere(group)
      return options.status()
    },
    backup: (group = 0, context) => {
      const options = answers(group)
      if (options === null) throw notHere(group)
      return backup(options, context)
    },
  })
}

/** For operators; and for members, which pass on what they are asked. */
export function adminImplementation(answers: GroupAnswers): Implementation {
  const answer =
    (method: AdminMethod) =>
    async (bytes: Uint8Array, context: CallContext): Promise<Uint8Array> => {
      const { group, body } = fromGroup(bytes)
      const options = answers(group)
      return options === null ? encodeRefusal(notHere(group)) : administer(options, method, body, context)
    }
  return implement(
    AdminService,
    { change: answer('change'), transfer: answer('transfer'), stepDown: answer('stepDown') },
    { roles: ['peer', 'admin'] },
  )
}

async function administer(
  options: ImplementationOptions,
  method: AdminMethod,
  body: Uint8Array,
  { deadline, signal }: CallContext,
): Promise<Uint8Array> {
  const timeout = Math.max(1, Math.min(ADMIN_TIMEOUT_MS, deadline - options.clock.now()))
  try {
    return await options.admin.here(method, body, { timeout, signal })
  } catch (thrown) {
    return refusedRead(options, thrown)
  }
}

/** Another server may run it: a client asks the next. */
function notHere(group: number): RaftError {
  return new RaftError('NOT_LEADER', `group ${group} does not run on this server`, { outcome: 'not-applied' })
}

/** Refusals are answers, not errors: they carry outcome and hint. */
function proposed(
  options: ImplementationOptions,
  payload: Uint8Array | RaftError,
): Promise<Uint8Array> | Uint8Array {
  if (payload instanceof RaftError) return encodeRefusal(payload)
  return new Promise((resolve) => {
    options.driver.submit([payload], {
      applied: (_, reply) => resolve(reply),
      failed: (_, error) => resolve(refusal(options, error)),
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

/** Of what is committed when it is asked for; the node goes on meanwhile. */
async function* backup(
  { barrier, clock, driver, clusterId, storage }: ImplementationOptions,
  { deadline, signal }: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const timeout = Math.max(1, Math.min(READ_TIMEOUT_MS, deadline - clock.now()))
  await barrier.pass({ consistency: 'linearizable', atLeast: 0 }, { timeout, signal })
  await driver.snapshot()
  const reader = await storage.openSnapshot()
  if (reader === null) throw badRequest('nothing has been committed yet: there is nothing to back up')
  try {
    yield* writeBackup(clusterId, reader)
  } finally {
    await reader.close()
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
