/** What a node answers to others: see services.ts. */
import { implement, toError, type CallContext, type Implementation } from '@lab/rpc'
import { encodeRefusal } from './calls/refusal.ts'
import type { Admin } from './admin/admin.ts'
import type { AdminMethod } from './admin/types.ts'
import type { Acquaintances } from './driver/acquaintances.ts'
import { ABSENT, WELCOME, decodeGreetings, encodeVerdicts, type Verdict } from './driver/greeting.ts'
import type { Precedence } from './driver/precedence.ts'
import { RaftError, badRequest } from './errors.ts'
import { READ_TIMEOUT_MS, proposeAll, readAll, refusal, type ListAnswering } from './list-answers.ts'
import { answerReadIndex } from './read-barrier.ts'
import { writeBackup } from './recovery/backup.ts'
import { CLIENT_ID_BYTES, encodeOpen, type SessionRule } from './rsm/envelope.ts'
import type { NodeId } from './types.ts'
import type { Storage } from './storage.ts'
import { AdminService, ClientService, PeerService, fromGroup, type ServerStatus } from './services.ts'
import { decodeGroupMessage } from './wire.ts'

export interface ImplementationOptions extends ListAnswering {
  readonly acquaintances: Acquaintances
  readonly precedence: Precedence
  readonly admin: Admin
  readonly clusterId: string
  readonly storage: Pick<Storage, 'openSnapshot'>
  readonly rule: SessionRule
  readonly status: () => ServerStatus
}

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
            if (why !== null) return { type: 'refused', why }
            options.precedence.heard(peer.nodeId, greeting.starts)
            return WELCOME
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
    propose: (bytes, context) => answered(bytes, (options, list) => proposeAll(options, list, context)),
    open: (bytes) => answered(bytes, open),
    read: (bytes, context) =>
      answered(bytes, (options, list) =>
        readAll(options, list, context).catch((thrown: unknown) => refused(options, thrown)),
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
    return refused(options, thrown)
  }
}

/** Another server may run it: a client asks the next. */
function notHere(group: number): RaftError {
  return new RaftError('NOT_LEADER', `group ${group} does not run on this server`, { outcome: 'not-applied' })
}

async function open(options: ImplementationOptions, clientId: Uint8Array): Promise<Uint8Array> {
  try {
    if (clientId.length !== CLIENT_ID_BYTES)
      throw badRequest(`a client id has ${CLIENT_ID_BYTES} bytes, not ${clientId.length}`, {
        outcome: 'not-applied',
      })
    return await options.driver.propose(encodeOpen(clientId, options.rule))
  } catch (thrown) {
    return refused(options, thrown)
  }
}

function refused(options: ImplementationOptions, thrown: unknown): Uint8Array {
  if (thrown instanceof RaftError) return refusal(options, thrown)
  throw toError(thrown)
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
