import { ManualClock } from '@lab/rpc/testing'
import { describe, expect, test } from 'vitest'
import { bounded } from '../../src/calls/bounded.ts'
import { ClientSession } from '../../src/calls/client-session.ts'
import { Deadlines } from '../../src/calls/deadlines.ts'
import { DeadlineTimer } from '../../src/driver/deadline-timer.ts'
import { TrailingLog } from '../../src/driver/trailing-log.ts'
import { AppliedWaiters } from '../../src/driver/waiters.ts'
import { LeaderTask } from '../../src/leader-task.ts'

const never = new Promise<never>(() => {})

describe('deadlines', () => {
  test('calls of many durations expire each at its time, behind one timer', async () => {
    const clock = new ManualClock()
    const deadlines = new Deadlines(clock)
    const ended: [number, number][] = []
    for (const timeout of [50, 10, 30, 10, 50])
      bounded({ clock, deadlines }, never, { timeout, what: 'x' }).catch(() =>
        ended.push([timeout, clock.now()]),
      )
    await clock.advance(5)
    expect(clock.waitingTimers).toBe(1)
    await clock.advance(100)
    expect(ended.map(([timeout]) => timeout)).toEqual([10, 10, 30, 50, 50])
    for (const [timeout, at] of ended) expect(at).toBe(timeout)
    expect(clock.waitingTimers).toBe(0)
  })

  test('one that ends others while it expires, and waits again, is not forgotten', async () => {
    const clock = new ManualClock()
    const deadlines = new Deadlines(clock)
    const ended: number[] = []
    const wait = (deadline: number, then: () => void = () => undefined): ReturnType<Deadlines['add']> => {
      const expire = (): void => {
        ended.push(clock.now())
        then()
      }
      return deadlines.add({ deadline, expire }, 10)
    }
    wait(10, () => {
      deadlines.remove(second, 10)
      wait(20)
    })
    const second = wait(10)
    await clock.advance(30)
    expect(ended).toEqual([10, 20])
    expect(clock.waitingTimers).toBe(0)
  })

  test('what ends in time leaves nothing behind', async () => {
    const clock = new ManualClock()
    const waiting = { clock, deadlines: new Deadlines(clock) }
    const controller = new AbortController()
    expect(
      await bounded(waiting, Promise.resolve(7), { timeout: 10, signal: controller.signal, what: 'x' }),
    ).toBe(7)
    await clock.advance(20)
    expect(clock.waitingTimers).toBe(0)
  })

  test('an aborted signal ends the wait with its reason as cause', async () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const work = bounded({ clock, deadlines: new Deadlines(clock) }, never, {
      timeout: 10,
      signal: controller.signal,
      what: 'x',
    })
    controller.abort('stop it')
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED', cause: 'stop it' })
  })
})

describe('the deadline timer', () => {
  function setUp(): { clock: ManualClock; due: number[]; stalls: number[]; timer: DeadlineTimer } {
    const clock = new ManualClock()
    const due: number[] = []
    const stalls: number[] = []
    const timer = new DeadlineTimer({
      clock,
      stallMs: 25,
      onDue: () => due.push(clock.now()),
      onStall: (lateMs) => stalls.push(lateMs),
    })
    return { clock, due, stalls, timer }
  }

  test('a deadline that moves away fires at the last one only', async () => {
    const { clock, due, timer } = setUp()
    for (let at = 0; at < 100; at += 10) {
      timer.set(clock.now() + 50)
      await clock.advance(10)
    }
    expect(due).toEqual([])
    await clock.advance(100)
    expect(due).toEqual([140])
  })

  test('a deadline that comes nearer is not missed', async () => {
    const { clock, due, timer } = setUp()
    timer.set(100)
    timer.set(20)
    await clock.advance(200)
    expect(due).toEqual([20])
  })

  test('after a stall the mail is read before the deadline is believed (trap 18)', () => {
    const callbacks: (() => void)[] = []
    let now = 0
    const clock = {
      now: () => now,
      wallTime: () => 0,
      setTimer: (_delay: number, callback: () => void) => {
        callbacks.push(callback)
        return { cancel: () => {} }
      },
    }
    const due: number[] = []
    const stalls: number[] = []
    const timer = new DeadlineTimer({
      clock,
      stallMs: 25,
      onDue: () => due.push(now),
      onStall: (late) => stalls.push(late),
    })
    timer.set(100)
    now = 400 // The loop stood still for 300 ms.
    callbacks.shift()?.()
    expect(stalls).toEqual([300])
    expect(due).toEqual([])
    timer.set(500) // Meanwhile a heartbeat that lay in the socket was read.
    callbacks.shift()?.()
    expect(due).toEqual([])
    now = 501
    callbacks.shift()?.()
    expect(due).toEqual([501])
  })
})

describe('small books', () => {
  test('a client knows its first unacknowledged command in any order of answers', () => {
    const session = new ClientSession(new Uint8Array(16))
    for (let i = 1; i <= 4; i++) expect(session.begin()).toBe(i)
    session.end(3)
    session.end(2)
    expect(session.firstUnacknowledged).toBe(1)
    session.end(1)
    expect(session.firstUnacknowledged).toBe(4)
  })

  test('those who wait for an index are told in order, each when it is reached', async () => {
    const waiters = new AppliedWaiters()
    const told: number[] = []
    for (const index of [5, 3, 9, 3]) void waiters.wait(index).then(() => told.push(index))
    waiters.applied(4)
    await Promise.resolve()
    expect(told).toEqual([3, 3])
    waiters.applied(9)
    await Promise.resolve()
    expect(told).toEqual([3, 3, 5, 9])
  })

  test('the log kept behind a snapshot has about the bytes asked for', () => {
    const trailing = new TrailingLog(1000)
    for (let index = 1; index <= 100; index++) trailing.add(index, 100)
    const cut = trailing.cut(100)
    expect((100 - cut) * 100).toBeGreaterThanOrEqual(1000)
    expect((100 - cut) * 100).toBeLessThanOrEqual(1300)
    for (let index = 101; index <= 150; index++) trailing.add(index, 100)
    expect(150 - trailing.cut(150)).toBeLessThanOrEqual(13)
  })

  test('a short log is kept whole', () => {
    const trailing = new TrailingLog(1000)
    for (let index = 1; index <= 5; index++) trailing.add(index, 100)
    expect(trailing.cut(5)).toBe(0)
  })
})

describe('whileLeader', () => {
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }

  test('runs on election, aborts on loss, runs again on re-election, never twice at a time', async () => {
    const log: string[] = []
    let running = 0
    const task = new LeaderTask(
      async ({ term, signal }) => {
        expect(++running).toBe(1)
        log.push(`begin ${term}`)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        await turns()
        running--
        log.push(`end ${term}`)
      },
      () => {},
    )
    task.elected(1)
    task.lost('partition')
    task.elected(3)
    await turns()
    await turns()
    expect(log).toEqual(['begin 1', 'end 1', 'begin 3'])
    await task.stop()
    expect(log.at(-1)).toBe('end 3')
    await task
  })

  test('an error of the work surfaces where it is awaited; one after the abort does not', async () => {
    const failing = new LeaderTask(
      () => Promise.reject(new Error('no disk')),
      () => {},
    )
    failing.elected(1)
    await expect(failing).rejects.toThrow('no disk')
    const late = new LeaderTask(
      ({ signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
      () => {},
    )
    late.elected(1)
    late.lost('partition')
    await turns()
    await late.stop()
    await late
  })

  test('work that returns while leading is not begun again in the same term', async () => {
    let runs = 0
    const task = new LeaderTask(
      () => {
        runs++
      },
      () => {},
    )
    task.elected(1)
    await turns()
    task.elected(1)
    await turns()
    expect(runs).toBe(1)
    await task.stop()
  })
})
