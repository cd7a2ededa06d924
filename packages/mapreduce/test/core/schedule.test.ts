/** The schedule against the paper's section 3 and against what workers and networks do to it. */
import { winnersOf } from '../../src/coordinator/manifest-of.ts'
import { expect, test } from 'vitest'
import { Stage, assigned, bad, names, one, RESULT } from './stage.ts'

test('§3.1 a worker gets one task for each slot, maps in order, and no reduce before every map is completed', () => {
  const stage = new Stage(3, 1)
  const first = stage.join('w1', 2)
  expect(names(first)).toEqual(['map 0.1 w1', 'map 1.1 w1'])
  const [map0, map1] = first
  if (map0 === undefined || map1 === undefined) throw new Error('two were assigned')
  expect(names(stage.done(map0))).toEqual(['map 2.1 w1'])
  expect(names(stage.done(map1))).toEqual([])
  expect(names(stage.done({ kind: 'map', task: 2, attempt: 1, worker: 'w1' }))).toEqual(['reduce 0.1 w1'])
  stage.done({ kind: 'reduce', task: 0, attempt: 1, worker: 'w1' })
  expect(stage.over).toEqual({ type: 'over', failure: null })
})

test('§3.3 a lost worker: its tasks in progress and its completed maps go to others', () => {
  const stage = new Stage(2, 1)
  stage.done(one(stage.join('w1')))
  stage.now = 4_000
  stage.join('w2')
  // w1 was heard from at 0: its lease ends at 10 000, that of w2 goes on.
  expect(names(stage.pass(6_000))).toEqual([])
  expect(stage.decisions).toContainEqual(expect.objectContaining({ type: 'expel', worker: 'w1' }))
  expect(stage.facts.at(-1)).toEqual({ fact: 'output-lost', task: 0 })
  expect(stage.schedule.state.mapsLeft).toBe(2)
})

test('§3.3 completed reduces are kept when their worker is lost, and maps too once no reduce is left', () => {
  const stage = new Stage(1, 2)
  const map = one(stage.join('w1'))
  const reduce = one(stage.done(map))
  stage.done(reduce)
  stage.step({ type: 'left', worker: 'w1' })
  expect(stage.schedule.state.reduces.map(({ state }) => state)).toEqual(['completed', 'idle'])
  expect(names(stage.join('w2'))).toEqual(['map 0.2 w2'])
})

test('§3.3 the first attempt that is reported counts, and the second to come to nothing', () => {
  const stage = new Stage(1, 1)
  const first = one(stage.join('w1'))
  stage.step({ type: 'left', worker: 'w1' })
  const second = one(stage.join('w2'))
  stage.done(second, { counters: { n: 2 } })
  stage.step({
    type: 'register',
    worker: 'w1',
    slots: 1,
    outputs: [{ ...first, result: RESULT }],
    running: [],
  })
  stage.done(first, { counters: { n: 1 } })
  expect(stage.facts.filter(({ fact }) => fact === 'completed')).toHaveLength(1)
  expect(stage.schedule.state.maps[0]?.winner).toMatchObject({ worker: 'w2', result: { counters: { n: 2 } } })
})

test('the word of a worker that is not registered, or was lost, counts nothing', () => {
  const stage = new Stage(1, 1)
  const attempt = one(stage.join('w1'))
  stage.pass(10_001)
  stage.done(attempt)
  expect(stage.facts).toEqual([])
  expect(stage.schedule.knows('w1')).toBe(false)
})

test('an assignment that got lost on its way is given back with the next poll, and one that arrived is not', () => {
  const stage = new Stage(2, 1)
  const map = one(stage.join('w1'))
  expect(names(stage.ask('w1', [map]))).toEqual([])
  expect(names(stage.ask('w1', []))).toEqual(['map 0.2 w1'])
})

test('§3.6 the slowest attempt gets one backup when somebody is idle, and the faster of the two wins', () => {
  const stage = new Stage(3, 1)
  const slow = one(stage.join('w1'))
  const next = one(stage.join('w2'))
  stage.now = 1_000
  const last = one(stage.done(next))
  stage.now = 2_000
  stage.step({ type: 'beat', worker: 'w1', progress: [{ ...slow, fraction: 0.1, records: 1, status: '' }] })
  const backup = one(stage.done(last))
  expect(names([backup])).toEqual(['map 0.2 w2'])
  const decisions = stage.step({ type: 'done', attempt: backup, result: RESULT })
  expect(decisions).toContainEqual({
    type: 'cancel',
    attempt: expect.objectContaining({ worker: 'w1' }) as unknown,
  })
  expect(stage.decisions).toContainEqual(
    expect.objectContaining({ transition: expect.objectContaining({ why: 'backup won' }) as unknown }),
  )
})

test('§3.6 no backup while the attempt is no slower than most, nor without backups', () => {
  for (const options of [{}, { backups: false }]) {
    const stage = new Stage(3, 1, options)
    stage.join('w1')
    const next = one(stage.join('w2'))
    stage.now = 1_000
    const last = one(stage.done(next))
    stage.now = options.backups === false ? 60_000 : 1_200
    if (options.backups === false) stage.step({ type: 'beat', worker: 'w1', progress: [] })
    expect(names(stage.done(last))).toEqual([])
  }
})

test('map outputs that others see outlive their worker, until one of them cannot be read; what leaves takes them along', () => {
  const stage = new Stage(1, 1)
  stage.step({ type: 'register', worker: 'w1', slots: 1, keepsOutputs: true, outputs: [], running: [] })
  const map = one(stage.ask('w1'))
  stage.done(map)
  stage.pass(10_001)
  expect(stage.schedule.knows('w1')).toBe(false)
  const reduce = one(stage.join('w2'))
  expect(reduce).toMatchObject({ kind: 'reduce', worker: 'w2' })
  // Two reports are for a worker that lives.
  const failures = [{ map: 0, attempt: map.attempt, worker: 'w1', corrupt: false, why: 'gone' }]
  stage.step({ type: 'fetch-failed', attempt: reduce, failures })
  expect(stage.facts.at(-1)).toEqual({ fact: 'output-lost', task: 0 })

  const other = new Stage(1, 1)
  other.step({ type: 'register', worker: 'w1', slots: 1, keepsOutputs: true, outputs: [], running: [] })
  other.done(one(other.ask('w1')))
  other.step({ type: 'left', worker: 'w1' })
  expect(other.facts.at(-1)).toEqual({ fact: 'output-lost', task: 0 })
})

test('two reports that an output cannot be fetched, or one that it is damaged, have the map made again', () => {
  const stage = new Stage(1, 2)
  const map = one(stage.join('w1'))
  const r1 = one(stage.done(map))
  const miss = { map: 0, attempt: 1, worker: 'w1', corrupt: false, why: 'nobody there' }
  const again = one(assigned(stage.step({ type: 'fetch-failed', attempt: r1, failures: [miss] })))
  expect(stage.schedule.state.maps[0]?.state).toBe('completed')
  expect(names(assigned(stage.step({ type: 'fetch-failed', attempt: again, failures: [miss] })))).toEqual([
    'map 0.2 w1',
  ])
  const r3 = one(stage.done({ ...map, attempt: 2 }))
  const damage = { ...miss, attempt: 2, corrupt: true }
  expect(names(assigned(stage.step({ type: 'fetch-failed', attempt: r3, failures: [damage] })))).toEqual([
    'map 0.3 w1',
  ])
})

test('a report about an earlier output of a map says nothing about the present one', () => {
  const stage = new Stage(1, 1)
  const map = one(stage.join('w1'))
  const reduce = one(stage.done(map))
  const old = { map: 0, attempt: 7, worker: 'w1', corrupt: true, why: 'damaged' }
  stage.step({ type: 'fetch-failed', attempt: reduce, failures: [old] })
  expect(stage.schedule.state.maps[0]?.state).toBe('completed')
})

test('a function that throws twice at the same record fails the job with it', () => {
  const stage = new Stage(1, 1)
  const again = one(stage.failed(one(stage.join('w1')), { record: bad(5) }))
  expect(stage.over).toBeUndefined()
  stage.failed(again, { record: bad(5) })
  expect(stage.over).toMatchObject({ failure: { failure: { record: { offset: 5 } } } })
})

test('§4.6 a record that kills two attempts is skipped by the third, when that is allowed', () => {
  const stage = new Stage(1, 1, { skipMax: 1 })
  const second = one(stage.failed(one(stage.join('w1')), { reason: 'crashed', record: bad(9) }))
  const third = stage.step({
    type: 'failed',
    attempt: second,
    failure: { reason: 'hung', message: '', stack: '', record: bad(9) },
  })
  expect(third).toContainEqual(expect.objectContaining({ type: 'assign', skip: [bad(9)] }))
  expect(stage.facts).toContainEqual({ fact: 'skip', kind: 'map', task: 0, record: bad(9) })
  stage.done({ kind: 'map', task: 0, attempt: 3, worker: 'w1' }, { skipped: [bad(9)] })
  expect(stage.schedule.state.skipped).toBe(1)
})

test('more bad records than may be skipped fail the job', () => {
  const stage = new Stage(2, 1, { skipMax: 1 })
  const next = one(stage.done(one(stage.join('w1')), { skipped: [bad(1)] }))
  stage.done(next, { skipped: [bad(2)] })
  expect(stage.over?.failure?.failure.message).toContain('more than 1 bad records')
})

test('a task that fails on one worker goes to another, where there is one', () => {
  const stage = new Stage(1, 1)
  const first = one(stage.join('w1'))
  stage.join('w2')
  expect(names(stage.failed(first, { reason: 'machine' }))).toEqual(['map 0.2 w2'])
})

test('a broken connection costs its worker the grace and not the lease', () => {
  const stage = new Stage(1, 1, { backups: false })
  stage.join('w1')
  stage.join('w2')
  stage.step({ type: 'disconnected', worker: 'w1' })
  expect(stage.schedule.deadline(0)).toBe(1_500)
  expect(names(stage.pass(1_500))).toEqual(['map 0.2 w2'])
})

test('§3.6 whoever is idle makes a backup at once of what a worker was at whose connection broke, unless it is back', () => {
  for (const isBack of [false, true]) {
    const stage = new Stage(2, 1)
    const first = one(stage.join('w1'))
    const second = one(stage.join('w2'))
    stage.step({ type: 'disconnected', worker: 'w1' })
    if (isBack) stage.step({ type: 'beat', worker: 'w1', progress: [] })
    expect(names(stage.done(second))).toEqual(isBack ? [] : ['map 0.2 w2'])
    // Both are believed; the first one counts.
    stage.done(first)
    expect(stage.schedule.state.mapsLeft).toBe(0)
  }
})

test('replaying the facts gives what was: completed tasks stay so, and their workers have the grace to come back', () => {
  const stage = new Stage(2, 2, { skipMax: 3 })
  const second = one(stage.done(one(stage.join('w1')), { counters: { n: 1 } }))
  const reduce = one(stage.done(second))
  stage.done(reduce)
  const after = new Stage(2, 2, { skipMax: 3 })
  after.schedule.replay(stage.facts, 0)
  expect(after.schedule.state.maps.map(({ state, winner }) => [state, winner?.worker])).toEqual([
    ['completed', 'w1'],
    ['completed', 'w1'],
  ])
  expect(after.schedule.state.reduces.map(({ state }) => state)).toEqual(['completed', 'idle'])
  expect(names(after.join('w1'))).toEqual(['reduce 1.1 w1'])
  const alone = new Stage(2, 2)
  alone.schedule.replay(stage.facts, 0)
  alone.join('w2', 2)
  expect(names(alone.pass(1_500))).toEqual(['map 1.2 w2'])
})

test('a map whose output got lost when every reduce was being made counts all the same, once the reduces are through', () => {
  const stage = new Stage(1, 1)
  const map = one(stage.join('w1'))
  const reduce = one(stage.done(map))
  stage.step({ type: 'register', worker: 'w2', slots: 1, outputs: [], running: [] })
  stage.schedule.step({ type: 'disconnected', worker: 'w1' }, stage.now)
  const backup = one(stage.ask('w2'))
  const failure = { map: 0, attempt: 1, worker: 'w1', corrupt: true, why: 'damaged' }
  stage.step({ type: 'fetch-failed', attempt: backup, failures: [failure] })
  expect(stage.schedule.state.maps[0]?.state).not.toBe('completed')
  stage.done(reduce)
  expect(stage.over).toEqual({ type: 'over', failure: null })
  expect(winnersOf(stage.schedule.state).map(({ kind }) => kind)).toEqual(['map', 'reduce'])
})

test('§3.1 short tasks wait at a worker, a few milliseconds of them and never more than half of what is left', () => {
  const stage = new Stage(40, 1)
  const first = one(stage.join('w1'))
  stage.now = 5
  expect(stage.done(first)).toHaveLength(1 + 20 / 5)
  const other = new Stage(7, 1)
  const only = one(other.join('w1'))
  other.now = 5
  expect(other.done(only)).toHaveLength(1 + 3)
})

test('§3.1 who has more than half of what may wait at it is given no more, and then as much as may wait', () => {
  const stage = new Stage(40, 1)
  const first = one(stage.join('w1'))
  stage.now = 5
  const given = stage.done(first)
  const [running, waiting] = [one(given), one(given.slice(1))]
  expect(given).toHaveLength(5)
  stage.now = 10
  expect(stage.done(running)).toHaveLength(0)
  stage.now = 15
  expect(stage.done(waiting)).toHaveLength(2)
})

test('§3.6 whoever was beaten by a backup is backed up at once, until it ends something in time', () => {
  const stage = new Stage(6, 1)
  const slow = one(stage.join('w1'))
  const next = one(stage.join('w2'))
  stage.now = 100
  let given = stage.done(next)
  for (stage.now = 200; stage.now <= 400; stage.now += 100) given = stage.done(one(given))
  stage.now = 500
  expect(names((given = stage.done(one(given))))).toEqual(['map 0.2 w2'])
  const [reduce] = assigned(stage.step({ type: 'done', attempt: one(given), result: RESULT }))
  expect(reduce?.kind).toBe('reduce')
  expect(stage.schedule.state.workers.get('w1')?.isSlow).toBe(true)
  expect(slow.worker).toBe('w1')
})
