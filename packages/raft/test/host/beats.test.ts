import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '@lab/rpc'
import { decodeBeat, encodeBeat } from '../../src/host/beat.ts'
import { Beats, type BeatsOptions } from '../../src/host/beats.ts'

type Told = Parameters<BeatsOptions['tell']>[1]

/** One process, what its groups were told, and what they believe of each peer since. */
class Process {
  readonly beats: Beats
  readonly told: { group: number; input: Told }[] = []
  /** group → peer → claim, of who is alive. */
  readonly believed = new Map<string, { leads: number; knows: number }>()
  readonly running = new Map<number, number>()

  constructor(life: number) {
    this.beats = new Beats({
      life,
      silentAfterMs: 300,
      staggerMsMax: 600,
      staggerMsPerGroup: 1,
      tell: (group, input) => {
        this.told.push({ group, input })
        if (input.type === 'hostAlive') this.believed.set(`${group} ${input.peer}`, input.claim)
        else this.believed.delete(`${group} ${input.peer}`)
      },
    })
  }

  start(group: number): void {
    this.running.set(group, 0)
    this.beats.started(group)
  }

  lead(group: number, term: number): void {
    this.running.set(group, term)
    this.beats.leads(group, term)
  }

  stop(group: number): void {
    this.running.delete(group)
    this.beats.stopped(group)
    for (const key of [...this.believed.keys()]) if (key.startsWith(`${group} `)) this.believed.delete(key)
  }

  takeTold(): { group: number; input: Told }[] {
    return this.told.splice(0)
  }
}

function exchange(a: Process, b: Process, now: number, times = 2): void {
  for (let time = 0; time < times; time++) {
    b.beats.heard('a', a.beats.beatFor('b'), now)
    a.beats.heard('b', b.beats.beatFor('a'), now)
  }
}

function pair(): [Process, Process] {
  const [a, b] = [new Process(1), new Process(2)]
  for (const process of [a, b]) for (const group of [1, 2, 3]) process.start(group)
  return [a, b]
}

describe('beats between two processes', () => {
  test('tell every group who is alive and leads, and then say nothing until something changes', () => {
    const [a, b] = pair()
    a.lead(1, 5)
    exchange(a, b, 0)
    expect(b.believed.get('1 a')).toEqual({ leads: 5, knows: 0 })
    expect(a.believed.get('1 b')).toEqual({ leads: 0, knows: 5 })
    expect([...b.believed.keys()].sort()).toEqual(['1 a', '2 a', '3 a'])
    for (const process of [a, b]) process.takeTold()
    for (let now = 100; now < 10_000; now += 100) exchange(a, b, now, 1)
    for (const process of [a, b]) expect(process.takeTold()).toEqual([])
    expect(a.beats.beatFor('b').length).toBeLessThan(12)
  })

  test('a claim reaches the peer, and the group learns that it did, by the acknowledgement and not before', () => {
    const [a, b] = pair()
    exchange(a, b, 0)
    a.lead(2, 7)
    a.beats.heard('b', b.beats.beatFor('a'), 100)
    expect(a.believed.get('2 b')).toEqual({ leads: 0, knows: 0 })
    b.beats.heard('a', a.beats.beatFor('b'), 100)
    expect(b.believed.get('2 a')).toEqual({ leads: 7, knows: 0 })
    a.beats.heard('b', b.beats.beatFor('a'), 100)
    expect(a.believed.get('2 b')).toEqual({ leads: 0, knows: 7 })
  })

  test('a connection that broke ends patience at once, and the next beat brings it back', () => {
    const [a, b] = pair()
    a.lead(1, 5)
    exchange(a, b, 0)
    b.takeTold()
    b.beats.lost('a')
    expect(b.believed.size).toBe(0)
    b.beats.lost('a')
    expect(b.takeTold()).toHaveLength(3)
    b.beats.heard('a', a.beats.beatFor('b'), 50)
    expect(b.believed.get('1 a')?.leads).toBe(5)
    expect(b.takeTold()).toMatchObject([{ input: { fresh: true } }, {}, {}])
  })

  test('a claim whose beat was lost is made again', () => {
    const [a, b] = pair()
    exchange(a, b, 0)
    a.lead(2, 7)
    a.beats.beatFor('b')
    a.beats.beatFor('b')
    exchange(a, b, 100)
    expect(b.believed.get('2 a')?.leads).toBe(7)
  })

  test('a beat that comes late changes nothing and keeps nobody alive', () => {
    const [a, b] = pair()
    exchange(a, b, 0)
    a.lead(2, 7)
    const late = a.beats.beatFor('b')
    a.lead(2, 0)
    exchange(a, b, 100)
    b.takeTold()
    b.beats.heard('a', late, 390)
    expect(b.takeTold()).toEqual([])
    b.beats.silence(400)
    expect(b.takeTold()).toHaveLength(3)
  })

  test('a group that stops, fails or is removed in a process that lives on is reported to the others', () => {
    const [a, b] = pair()
    a.lead(1, 5)
    exchange(a, b, 0)
    a.stop(1)
    b.takeTold()
    exchange(a, b, 100)
    expect(b.takeTold()).toEqual([
      { group: 1, input: { type: 'hostSilent', peer: 'a', heardAt: 100, stagger: 0 } },
    ])
  })

  test('a group that starts anew between two beats is another one: who leads it speaks to it', () => {
    const [a, b] = pair()
    exchange(a, b, 0)
    a.stop(1)
    a.start(1)
    b.takeTold()
    exchange(a, b, 100)
    expect(b.takeTold()).toMatchObject([{ group: 1, input: { type: 'hostAlive', peer: 'a', fresh: true } }])
  })

  test('a process that restarts between two beats is another one, and what it knew of us is gone', () => {
    const [a, b] = pair()
    b.lead(2, 4)
    exchange(a, b, 0)
    b.takeTold()
    const again = new Process(3)
    for (const group of [1, 2]) again.start(group)
    b.beats.heard('a', again.beats.beatFor('b'), 50)
    expect(b.believed.get('2 a')).toEqual({ leads: 0, knows: 0 })
    expect(b.believed.has('3 a')).toBe(false)
    expect(b.takeTold().filter(({ input }) => input.type === 'hostSilent')).toHaveLength(3)
    exchange(again, b, 100)
    expect(again.believed.get('2 b')?.leads).toBe(4)
    expect(b.believed.get('2 a')).toEqual({ leads: 0, knows: 4 })
  })

  test('silence is noticed after the shortest election timeout, and the groups that were led wake one after the other', () => {
    const [a, b] = pair()
    a.lead(1, 5)
    a.lead(3, 6)
    exchange(a, b, 1000)
    b.takeTold()
    expect(b.beats.silenceAt).toBe(1300)
    b.beats.silence(1299)
    expect(b.takeTold()).toEqual([])
    b.beats.silence(1300)
    const told = b.takeTold().map(({ group, input }) => [group, input.type === 'hostSilent' && input.stagger])
    expect(told.sort()).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
    ])
    expect(b.beats.silenceAt).toBe(Infinity)
    exchange(a, b, 1400)
    expect(b.takeTold().every(({ input }) => input.type === 'hostAlive' && input.fresh)).toBe(true)
  })

  test('a process that stood still believes nobody silent for it, and waits anew', () => {
    const [a, b] = pair()
    exchange(a, b, 0)
    b.takeTold()
    b.beats.wereDeaf(2000)
    b.beats.silence(2000)
    expect(b.takeTold()).toEqual([])
    b.beats.silence(2300)
    expect(b.takeTold()).toHaveLength(3)
  })

  test('a thousand groups wake within the longest election timeout', () => {
    const [a, b] = [new Process(1), new Process(2)]
    for (let group = 0; group < 1000; group++) {
      for (const process of [a, b]) process.start(group)
      a.lead(group, 1)
    }
    exchange(a, b, 0)
    b.takeTold()
    b.beats.silence(300)
    const staggers = b.takeTold().map(({ input }) => (input.type === 'hostSilent' ? input.stagger : NaN))
    expect(Math.max(...staggers)).toBeLessThan(600)
    expect(new Set(staggers).size).toBe(1000)
  })

  test('whatever is lost, doubled and overtaken, both end up believing what is so', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (seed) => {
        const random = seededRandom(seed)
        const processes = { a: new Process(1), b: new Process(2) }
        const flying: { to: 'a' | 'b'; beat: Uint8Array }[] = []
        let lives = 2
        let now = 0
        for (let step = 0; step < 120; step++) {
          now += random.integer(0, 80)
          const id = random.integer(0, 1) === 0 ? 'a' : 'b'
          const other = id === 'a' ? 'b' : 'a'
          const group = random.integer(1, 4)
          const own = processes[id]
          const dice = random.integer(0, 12)
          if (dice < 5) flying.push({ to: other, beat: own.beats.beatFor(other).slice() })
          else if (dice < 9 && flying.length > 0) {
            const at = random.integer(0, flying.length - 1)
            const { to, beat } = random.integer(0, 4) === 0 ? flying[at]! : flying.splice(at, 1)[0]!
            processes[to].beats.heard(to === 'a' ? 'b' : 'a', beat, now)
          } else if (dice === 9) {
            if (own.running.has(group)) own.stop(group)
            else own.start(group)
          } else if (dice === 10 && own.running.has(group)) own.lead(group, random.integer(0, 3))
          else if (dice === 11) own.beats.silence(now)
          else if (random.integer(0, 9) === 0) {
            processes[id] = new Process(++lives)
            // Beats of the old life may still be under way; its connections are not.
            flying.length = 0
          }
        }
        exchange(processes.a, processes.b, now, 3)
        for (const [id, other] of [
          ['a', 'b'],
          ['b', 'a'],
        ] as const)
          for (const group of [1, 2, 3, 4]) {
            const here = processes[id].running.get(group)
            const there = processes[other].running.get(group)
            const expected =
              here === undefined || there === undefined ? undefined : { leads: there, knows: here }
            const believed = processes[id].believed.get(`${group} ${other}`)
            expect(believed?.leads).toBe(expected?.leads)
            // That one leads nothing any more need not be known.
            if ((here ?? 0) > 0) expect(believed).toEqual(expected)
          }
      }),
      { numRuns: 300 },
    )
  })
})

test('a beat is what it was after the wire, and anything else is refused', () => {
  const beat = {
    ...{ life: 2 ** 31, number: 7, version: 9, since: 3, ackLife: 5, ackVersion: 6 },
    claims: [{ group: 4_294_967_295, instance: 2, term: 12 }],
  }
  const bytes = encodeBeat(beat)
  expect(decodeBeat(bytes)).toEqual(beat)
  for (let end = 0; end < bytes.length; end++) expect(() => decodeBeat(bytes.slice(0, end))).toThrow()
  expect(() => decodeBeat(Uint8Array.of(...bytes, 0))).toThrow()
  expect(() => decodeBeat(encodeBeat({ ...beat, since: 10 }))).toThrow(/still to come/)
})
