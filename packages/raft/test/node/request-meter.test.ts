import { describe, expect, test } from 'vitest'
import { PendingProposals } from '../../src/driver/pending-proposals.ts'
import { RequestMeter, type RequestDurations } from '../../src/driver/request-meter.ts'
import { RaftError } from '../../src/errors.ts'
import { encodeOpen, encodePlain, encodeSession } from '../../src/rsm/envelope.ts'
import { ReplyStatus, encodeStatus, encodeThrown } from '../../src/rsm/reply.ts'

const LIMITS = { proposalsMax: 100, proposalBytesMax: 1e6, proposalWaitMs: 1000 }
const CLIENT = new Uint8Array(16).fill(200)
const silent = { applied: () => undefined, failed: () => undefined }

/** As many as there are of each: `command 7 ok`, and the milliseconds of all. */
function told(requests: readonly RequestDurations[]): Record<string, readonly [count: number, sum: number]> {
  return Object.fromEntries(
    requests.map(({ type, firstByte, outcome, ms }) => [
      `${type} ${String(firstByte)} ${outcome}`,
      [ms.count, ms.sum],
    ]),
  )
}

describe('how long requests took', () => {
  test('is told by the first byte of the command, in a session or not, from the turn that appended it to the one that applied it', () => {
    const meter = new RequestMeter()
    const proposals = new PendingProposals(LIMITS, meter)
    const put = Uint8Array.of(1, 2, 3)
    proposals.add([encodePlain(put), encodeSession(CLIENT, 300, 2 ** 40, Uint8Array.of(7))], silent)
    proposals.add([encodeOpen(CLIENT, { sessionsMax: 1, idleMsMax: 1 }), encodePlain(put)], silent)
    proposals.appended(5, 2, 1000)
    for (const [at, status] of [ReplyStatus.value, ReplyStatus.value, ReplyStatus.opened].entries())
      proposals.applied(5 + at, 2, encodeStatus({ index: 5 + at, term: 2 ** 30 }, status))
    expect(meter.snapshot()).toEqual([])
    proposals.progressed(1003)
    proposals.applied(8, 2, encodeThrown({ index: 8, term: 2 }, new Error('no')))
    proposals.progressed(1010)
    expect(told(meter.snapshot())).toEqual({
      'command 1 ok': [1, 3],
      'command 7 ok': [1, 3],
      'session null ok': [1, 3],
      'command 1 COMMAND_FAILED': [1, 10],
    })
  })

  test('counts those alike of one batch together, each of them', () => {
    const meter = new RequestMeter()
    const proposals = new PendingProposals(LIMITS, meter)
    proposals.add(
      Array.from({ length: 40 }, () => encodePlain(Uint8Array.of(1))),
      silent,
    )
    proposals.appended(1, 1, 10)
    for (let index = 1; index <= 40; index++)
      proposals.applied(index, 1, encodeStatus({ index, term: 1 }, ReplyStatus.nothing))
    proposals.progressed(15)
    expect(told(meter.snapshot())).toEqual({ 'command 1 ok': [40, 200] })
  })

  test('is told of what ended otherwise by the code of its error: refused ones took no time, and wait for no clock', () => {
    const meter = new RequestMeter()
    const proposals = new PendingProposals(LIMITS, meter)
    const payload = encodePlain(Uint8Array.of(4))
    proposals.add([payload], silent)
    proposals.refused(() => new RaftError('NOT_LEADER', 'another leads'))
    expect(told(meter.snapshot())).toEqual({ 'command 4 NOT_LEADER': [1, 0] })
    proposals.add([payload, payload], silent)
    proposals.appended(1, 1, 100)
    proposals.leadershipLost(0, 0)
    proposals.progressed(140)
    expect(told(meter.snapshot())).toEqual({
      'command 4 NOT_LEADER': [1, 0],
      'command 4 LEADERSHIP_LOST': [2, 80],
    })
  })

  test('is no trap: nonsense from a client is counted as something without a first byte', () => {
    const meter = new RequestMeter()
    for (const bytes of [[], [0], [2], [2, ...new Array<number>(40).fill(255)], [9, 1]])
      meter.failed(Uint8Array.from(bytes), 'BUSY', null)
    meter.query(new Uint8Array(), 'ok', 2)
    expect(told(meter.snapshot())).toEqual({ 'command null BUSY': [5, 0], 'query null ok': [1, 2] })
  })
})
