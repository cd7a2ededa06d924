import { seededRandom } from '@lab/rpc'
import { ManualClock } from '@lab/rpc/testing'
import { describe, expect, test } from 'vitest'
import { Proposer, type ProposeOptions } from '../../src/calls/proposer.ts'
import type { Sending } from '../../src/calls/sending.ts'
import { Deadlines } from '../../src/calls/deadlines.ts'
import type { Attempt, Route } from '../../src/calls/route.ts'
import { RaftError, type Outcome, type RaftErrorCode } from '../../src/errors.ts'
import { decodeEnvelope, type Envelope } from '../../src/rsm/envelope.ts'
import { ReplyStatus, encodeStatus, type Reply } from '../../src/rsm/reply.ts'

const COMMAND = Uint8Array.of(1, 2, 3)
const applied: Attempt = { ok: true, reply: encodeStatus({ index: 5, term: 1 }, ReplyStatus.nothing) }
const expired: Attempt = { ok: true, reply: encodeStatus({ index: 5, term: 1 }, ReplyStatus.sessionExpired) }
const refused = (code: RaftErrorCode, outcome: Outcome): Attempt => ({
  ok: false,
  error: new RaftError(code, `refused: ${code}`, { outcome }),
})

/** Answers by script, and notes what it was asked. */
class ScriptedRoute implements Route {
  readonly clock: ManualClock
  readonly sent: Envelope[] = []
  readonly opened: Uint8Array[] = []
  script: (Attempt | 'silence')[] = []
  openScript: Attempt[] = []

  constructor(clock: ManualClock) {
    this.clock = clock
  }

  send(sending: Sending): void {
    void this.#attempt(sending).then((attempt) => {
      if (attempt.ok) sending.answered(attempt.reply)
      else sending.failed(attempt.error, attempt.redirected === true)
    })
  }

  async #attempt({ body, timeout, signal }: Sending): Promise<Attempt> {
    this.sent.push(decodeEnvelope(body))
    const next = this.script.shift() ?? applied
    if (next !== 'silence') return next
    await new Promise<void>((resolve) => {
      this.clock.setTimer(timeout, resolve)
      signal?.addEventListener('abort', () => resolve())
    })
    return refused(signal?.aborted === true ? 'CANCELLED' : 'TIMEOUT', 'unknown')
  }

  async openSession(clientId: Uint8Array): Promise<Attempt> {
    this.opened.push(clientId)
    return this.openScript.shift() ?? applied
  }

  changed(delay: number): Promise<void> {
    return new Promise((resolve) => void this.clock.setTimer(delay, resolve))
  }
}

interface SetUp {
  readonly clock: ManualClock
  readonly route: ScriptedRoute
  readonly proposer: { propose(command: Uint8Array, options?: ProposeOptions): Promise<Reply> }
}

function setUp(): SetUp {
  const clock = new ManualClock()
  const route = new ScriptedRoute(clock)
  const random = seededRandom(1)
  const deadlines = new Deadlines(clock)
  const proposer = new Proposer({ route, clock, random, deadlines, timeout: 1000, attemptTimeout: 200 })
  return {
    clock,
    route,
    proposer: { propose: (command, options = {}) => proposer.propose(command, options, (reply) => reply) },
  }
}

const sequences = (route: ScriptedRoute): unknown[] =>
  route.sent.map((envelope) => (envelope.kind === 'session' ? envelope.sequenceNumber : envelope.kind))

describe('proposing in a session (thesis §6.3)', () => {
  test('one session serves all commands, each under its own number', async () => {
    const { clock, route, proposer } = setUp()
    await clock.settle(
      Promise.all([proposer.propose(COMMAND), proposer.propose(COMMAND), proposer.propose(COMMAND)]),
    )
    await clock.settle(proposer.propose(COMMAND))
    expect(route.opened).toHaveLength(1)
    expect(sequences(route)).toEqual([1, 2, 3, 4])
    expect(route.sent[3]).toMatchObject({ firstUnacknowledged: 4 })
  })

  test('an attempt of unknown outcome is repeated under the same number until it is answered', async () => {
    const { clock, route, proposer } = setUp()
    route.script = [
      refused('LEADERSHIP_LOST', 'unknown'),
      'silence',
      refused('UNAVAILABLE', 'not-applied'),
      applied,
    ]
    const reply = await clock.settle(proposer.propose(COMMAND))
    expect(reply.index).toBe(5)
    expect(sequences(route)).toEqual([1, 1, 1, 1])
  })

  test('once an attempt was unknown, a later refusal that appended nothing does not make it known', async () => {
    const { clock, route, proposer } = setUp()
    route.script = [
      refused('LEADERSHIP_LOST', 'unknown'),
      ...Array.from({ length: 99 }, () => refused('BUSY', 'not-applied')),
    ]
    const error = await clock.settle(proposer.propose(COMMAND).catch((e: unknown) => e))
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
  })

  test('a server with too much to do is asked ever more rarely, one that lost its office soon again', async () => {
    const attempts = async (code: RaftErrorCode): Promise<number> => {
      const { clock, route, proposer } = setUp()
      route.script = Array.from({ length: 999 }, () => refused(code, 'not-applied'))
      await clock.settle(proposer.propose(COMMAND, { timeout: 10_000 }).catch(() => undefined))
      return route.sent.length
    }
    expect(await attempts('BUSY')).toBeLessThan(20)
    expect(await attempts('LEADERSHIP_LOST')).toBeGreaterThan(60)
  })

  test('a command that no attempt appended is certainly not applied', async () => {
    const { clock, route, proposer } = setUp()
    route.script = Array.from({ length: 99 }, () => refused('BUSY', 'not-applied'))
    const error = await clock.settle(proposer.propose(COMMAND).catch((e: unknown) => e))
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-applied' })
  })

  test('the time given is kept: an attempt without answer ends with it', async () => {
    const { clock, route, proposer } = setUp()
    route.script = Array.from({ length: 99 }, () => 'silence' as const)
    const error = await clock.settle(proposer.propose(COMMAND, { timeout: 500 }).catch((e: unknown) => e))
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
    expect(clock.now()).toBeGreaterThanOrEqual(500)
    expect(clock.now()).toBeLessThan(600)
  })

  test('an expired session is replaced when the command was never in the log', async () => {
    const { clock, route, proposer } = setUp()
    await clock.settle(proposer.propose(COMMAND))
    route.script = [expired, applied]
    await clock.settle(proposer.propose(COMMAND))
    expect(route.opened).toHaveLength(2)
    expect(sequences(route)).toEqual([1, 2, 1])
  })

  test('an expired session after an unknown attempt leaves the outcome unknown: nothing is sent again', async () => {
    const { clock, route, proposer } = setUp()
    route.script = [refused('LEADERSHIP_LOST', 'unknown'), expired]
    const error = await clock.settle(proposer.propose(COMMAND).catch((e: unknown) => e))
    expect(error).toMatchObject({ code: 'SESSION_EXPIRED', outcome: 'unknown' })
    expect(route.sent).toHaveLength(2)
  })

  test('each attempt to open a session draws a fresh id: a late opening revives nothing', async () => {
    const { clock, route, proposer } = setUp()
    route.openScript = [refused('UNAVAILABLE', 'unknown'), refused('TIMEOUT', 'unknown')]
    await clock.settle(proposer.propose(COMMAND))
    expect(new Set(route.opened.map(String)).size).toBe(3)
  })

  test('a session that cannot be opened leaves the command certainly not applied', async () => {
    const { clock, route, proposer } = setUp()
    route.openScript = Array.from({ length: 99 }, () => refused('UNAVAILABLE', 'unknown'))
    const error = await clock.settle(proposer.propose(COMMAND).catch((e: unknown) => e))
    expect(error).toMatchObject({ outcome: 'not-applied' })
    expect(route.sent).toHaveLength(0)
  })

  test('a call that waits for another one’s opening waits no longer than it may', async () => {
    const { clock, route, proposer } = setUp()
    route.openScript = Array.from({ length: 999 }, () => refused('UNAVAILABLE', 'unknown'))
    const patient = proposer.propose(COMMAND, { timeout: 5000 }).catch((e: unknown) => e)
    const hasty = proposer.propose(COMMAND, { timeout: 100 }).catch((e: unknown) => e)
    expect(await clock.settle(hasty)).toMatchObject({ code: 'TIMEOUT', outcome: 'not-applied' })
    expect(clock.now()).toBeLessThan(150)
    expect(await clock.settle(patient)).toMatchObject({ outcome: 'not-applied' })
  })

  test('a call that outlives the one that was opening goes on opening', async () => {
    const { clock, route, proposer } = setUp()
    route.openScript = Array.from({ length: 20 }, () => refused('UNAVAILABLE', 'unknown'))
    const hasty = proposer.propose(COMMAND, { timeout: 50 }).catch((e: unknown) => e)
    const patient = proposer.propose(COMMAND, { timeout: 50_000 })
    expect(await clock.settle(hasty)).toMatchObject({ outcome: 'not-applied' })
    expect((await clock.settle(patient)).index).toBe(5)
  })

  test('a signal calls it off', async () => {
    const { clock, route, proposer } = setUp()
    route.script = ['silence']
    const controller = new AbortController()
    const settled = proposer.propose(COMMAND, { signal: controller.signal }).catch((e: unknown) => e)
    await clock.advance(10)
    controller.abort(new Error('enough'))
    expect(await clock.settle(settled)).toMatchObject({ code: 'CANCELLED', outcome: 'unknown' })
    const late = proposer.propose(COMMAND, { signal: controller.signal }).catch((e: unknown) => e)
    expect(await clock.settle(late)).toMatchObject({ code: 'CANCELLED', outcome: 'not-applied' })
  })

  test('what is too large is refused at once', async () => {
    const { clock, route, proposer } = setUp()
    route.script = [refused('TOO_LARGE', 'not-applied')]
    const error = await clock.settle(proposer.propose(COMMAND).catch((e: unknown) => e))
    expect(error).toMatchObject({ code: 'TOO_LARGE', outcome: 'not-applied' })
    expect(clock.now()).toBe(0)
  })
})

describe('proposing with { attempts: 1 }', () => {
  test('sends once, without session', async () => {
    const { clock, route, proposer } = setUp()
    await clock.settle(proposer.propose(COMMAND, { attempts: 1 }))
    expect(route.opened).toHaveLength(0)
    expect(sequences(route)).toEqual(['plain'])
  })

  test.each([
    ['NOT_LEADER', 'not-applied'],
    ['BUSY', 'not-applied'],
    ['LEADERSHIP_LOST', 'unknown'],
    ['UNAVAILABLE', 'unknown'],
  ] as const)('%s is told at once with outcome %s', async (code, outcome) => {
    const { clock, route, proposer } = setUp()
    route.script = [refused(code, outcome)]
    const error = await clock.settle(proposer.propose(COMMAND, { attempts: 1 }).catch((e: unknown) => e))
    expect(error).toMatchObject({ code, outcome })
    expect(route.sent).toHaveLength(1)
    expect(clock.now()).toBe(0)
  })

  test('a refusal that names another server is routing, but only so often', async () => {
    const { clock, route, proposer } = setUp()
    const redirect: Attempt = { ...refused('NOT_LEADER', 'not-applied'), redirected: true } as Attempt
    route.script = [redirect, redirect, applied]
    await clock.settle(proposer.propose(COMMAND, { attempts: 1 }))
    route.script = Array.from({ length: 9 }, () => redirect)
    const error = await clock.settle(proposer.propose(COMMAND, { attempts: 1 }).catch((e: unknown) => e))
    expect(error).toMatchObject({ code: 'NOT_LEADER' })
    expect(route.sent).toHaveLength(3 + 4)
  })

  test.each([[0], [1.5], [-1]])('attempts: %s is refused', async (attempts) => {
    const { proposer } = setUp()
    await expect(proposer.propose(COMMAND, { attempts })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  test.each([[0], [-5], [Number.NaN]])('timeout: %s is refused', async (timeout) => {
    const { proposer } = setUp()
    await expect(proposer.propose(COMMAND, { timeout })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})
