/** Offered more than it can do, a leader does what it can and refuses the rest at once. */
import { expect, test } from 'vitest'
import { Admission } from '../../src/driver/admission.ts'
import type { RaftError } from '../../src/errors.ts'
import { DriverNet } from './driver-net.ts'

/** So a thousand a second can be done. */
const ENTRY_MS = 1

interface Outcome {
  readonly at: number
  readonly ms: number
  readonly error: RaftError | null
}

/** Proposes `perMs` things a millisecond, whatever becomes of them. */
async function offer(net: DriverNet, perMs: number, forMs: number): Promise<Outcome[]> {
  const leader = await net.leader()
  const outcomes: Outcome[] = []
  const end = net.clock.now() + forMs
  let asked = 0
  for (let turn = 0; net.clock.now() < end; turn++) {
    for (; asked < turn * perMs; asked++) {
      const at = net.clock.now()
      const note = (error: RaftError | null): unknown =>
        outcomes.push({ at, ms: net.clock.now() - at, error })
      net.propose(leader, 'x').then(() => note(null), note)
    }
    await net.clock.advance(1)
  }
  await net.clock.run(() => outcomes.length === asked, { limitMs: 60_000 })
  return outcomes
}

const quantile = (outcomes: readonly Outcome[], q: number): number =>
  outcomes.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(outcomes.length * q)] ?? 0

test('at six times what it can do: as much is done, none waits much over a second, the rest is refused at once', async () => {
  const net = new DriverNet(['n1', 'n2', 'n3'], { proposalsMax: 16_384 })
  net.entryMs = ENTRY_MS
  net.writeBytesMax = 1500 // some fifty of them, or 50 ms
  await net.startAll()
  const begun = net.clock.now()
  const outcomes = await offer(net, 6, 4500)

  const refused = outcomes.filter(({ error }) => error !== null)
  for (const { ms, error } of refused) {
    expect(error).toMatchObject({ code: 'BUSY', outcome: 'not-applied' })
    expect(ms).toBe(0)
  }
  // The first second teaches it how fast its disks are.
  const settled = outcomes.filter(({ at, error }) => error === null && at > begun + 2000)
  expect(quantile(settled, 0.99)).toBeLessThan(1500)
  expect(settled.length).toBeGreaterThan(0.9 * 2.5 * (1000 / ENTRY_MS))
  // Refused means not applied: the log holds the others and no more.
  const done = outcomes.length - refused.length
  await net.clock.run(() => net.all.every(({ machine }) => machine.state.items.length === done), {
    limitMs: 5000,
  })

  // And when the rush is over it is as if nothing had been.
  const after = await offer(net, 1, 1000)
  expect(after.filter(({ error }) => error !== null)).toEqual([])
  expect(quantile(after, 0.99)).toBeLessThan(100)
})

test('the room is what is done in the time: it grows where work is fast, and shrinks where it is late', () => {
  const admission = new Admission(16_384, 1000)
  let done = 0
  let now = 0
  const serve = (count: number, ms: number): number => {
    admission.appended(count, done, now)
    admission.progressed((done += count), (now += ms))
    return admission.room
  }
  expect(serve(1, 300)).toBe(1024) // a long way to the others says nothing of how many fit
  expect(serve(1024, 100)).toBe(2048)
  expect(serve(2048, 200)).toBe(4096)
  expect(serve(4096, 1024)).toBe(4000)
  expect(serve(4000, 1000)).toBe(4000)
  expect(serve(10, 5000)).toBe(64) // the disk stood still
  for (let i = 0; i < 6; i++) serve(admission.room, 50)
  expect(admission.room).toBeGreaterThan(1000)
  // Late while they still wait: as many fit as were done until now.
  admission.appended(1000, done, now)
  admission.progressed(done + 500, now + 2000)
  expect(admission.room).toBe(250)
  // What was lost with the office is no sample.
  admission.appended(100, done, now)
  admission.forget()
  admission.progressed(done, now + 9000)
  expect(admission.room).toBe(250)
})
