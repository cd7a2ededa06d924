import { describe, expect, test } from 'vitest'
import { PendingProposals } from '../../src/driver/pending-proposals.ts'
import { RequestMeter } from '../../src/driver/request-meter.ts'
import { RaftError } from '../../src/errors.ts'

const LIMITS = { proposalsMax: 100, proposalBytesMax: 1e6, proposalWaitMs: 1000 }

describe('proposals that wait', () => {
  const payload = new Uint8Array(10)
  const reply = Uint8Array.of(1)
  const add = (proposals: PendingProposals): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      proposals.add([payload], {
        applied: (_, reply) => resolve(reply),
        failed: (_, error) => reject(error),
      })
    })
  /** Proposes so many together. @returns what each was told, once it was told */
  const addTogether = (proposals: PendingProposals, count: number): (Uint8Array | RaftError)[] => {
    const told: (Uint8Array | RaftError)[] = []
    const tell = (place: number, what: Uint8Array | RaftError): void => {
      expect(told[place]).toBeUndefined()
      told[place] = what
    }
    proposals.add(
      Array.from({ length: count }, () => payload),
      { applied: tell, failed: tell },
    )
    return told
  }
  const settle = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

  test('each gets the reply of its own entry', async () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const both = [add(proposals), add(proposals)]
    expect(proposals.queued()).toHaveLength(2)
    proposals.appended(7, 2, 0)
    proposals.applied(6, 1, Uint8Array.of(6))
    proposals.applied(7, 2, Uint8Array.of(7))
    proposals.applied(8, 2, Uint8Array.of(8))
    expect(await Promise.all(both)).toEqual([Uint8Array.of(7), Uint8Array.of(8)])
    expect([proposals.size, proposals.bytes]).toEqual([0, 0])
  })

  test('one whose entry came with a snapshot of another leader (§7) is unknown, and holds up nobody', async () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const skipped = settle(add(proposals))
    proposals.appended(7, 2, 0)
    const later = settle(add(proposals))
    proposals.appended(20, 4, 0)
    proposals.applied(20, 4, reply)
    expect(await skipped).toMatchObject({ code: 'LEADERSHIP_LOST', outcome: 'unknown' })
    expect(await later).toEqual(reply)
    expect([proposals.size, proposals.bytes]).toEqual([0, 0])
  })

  test('an entry of another term at the index means certainly not applied (§5.3)', async () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const work = settle(add(proposals))
    proposals.appended(7, 2, 0)
    proposals.applied(7, 3, reply)
    expect(await work).toMatchObject({ code: 'LEADERSHIP_LOST', outcome: 'not-applied' })
  })

  test('lost leadership: committed ones still get their reply, others are unknown', async () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const committed = settle(add(proposals))
    const stranded = settle(add(proposals))
    proposals.appended(7, 2, 0)
    proposals.leadershipLost(0, 7)
    expect(await stranded).toMatchObject({ code: 'LEADERSHIP_LOST', outcome: 'unknown' })
    proposals.applied(7, 2, reply)
    expect(await committed).toEqual(reply)
  })

  test('those proposed together are told one by one, in the order of the log', () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const first = addTogether(proposals, 2)
    const second = addTogether(proposals, 3)
    expect(proposals.queued()).toHaveLength(5)
    proposals.appended(7, 2, 0)
    for (let index = 7; index <= 10; index++) proposals.applied(index, 2, Uint8Array.of(index))
    expect(first).toEqual([Uint8Array.of(7), Uint8Array.of(8)])
    expect(second).toEqual([Uint8Array.of(9), Uint8Array.of(10)])
    expect([proposals.size, proposals.bytes]).toEqual([1, payload.length])
    proposals.applied(11, 2, reply)
    expect(second[2]).toEqual(reply)
    expect([proposals.size, proposals.bytes]).toEqual([0, 0])
  })

  test('lost leadership cuts through those proposed together: what is committed gets its reply, the rest is unknown', () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const told = addTogether(proposals, 4)
    const behind = addTogether(proposals, 2)
    proposals.appended(7, 2, 0)
    proposals.applied(7, 2, reply)
    proposals.leadershipLost(0, 8)
    const unknown = { code: 'LEADERSHIP_LOST', outcome: 'unknown' }
    expect([told[0], told[1], told.slice(2)]).toMatchObject([reply, undefined, [unknown, unknown]])
    expect(behind).toMatchObject([unknown, unknown])
    proposals.applied(8, 2, reply)
    proposals.applied(9, 3, reply)
    expect(told[1]).toEqual(reply)
    expect([proposals.size, proposals.bytes]).toEqual([0, 0])
  })

  test('a snapshot of another leader (§7) that ends among those proposed together leaves the first unknown', () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const told = addTogether(proposals, 3)
    proposals.appended(7, 2, 0)
    proposals.applied(9, 2, reply)
    const unknown = { code: 'LEADERSHIP_LOST', outcome: 'unknown' }
    expect(told).toMatchObject([unknown, unknown, reply])
  })

  test('there is room for as many of a list as the bounds leave, in number and in bytes', () => {
    const list = Array.from({ length: 9 }, () => payload)
    const proposals = new PendingProposals({ ...LIMITS, proposalsMax: 5 }, new RequestMeter())
    expect(proposals.room(list)).toBe(5)
    void addTogether(proposals, 3)
    expect(proposals.room(list)).toBe(2)
    expect(new PendingProposals({ ...LIMITS, proposalBytesMax: 45 }, new RequestMeter()).room(list)).toBe(4)
  })

  test('closing: what is queued was not applied, what is appended is unknown', async () => {
    const proposals = new PendingProposals(LIMITS, new RequestMeter())
    const appended = settle(add(proposals))
    proposals.appended(7, 2, 0)
    const queued = settle(add(proposals))
    proposals.close((outcome) => new RaftError('CLOSED', 'closed', { outcome }))
    expect(await queued).toMatchObject({ outcome: 'not-applied' })
    expect(await appended).toMatchObject({ outcome: 'unknown' })
  })
})
