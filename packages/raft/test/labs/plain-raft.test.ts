import { LabFailure, NotLeader, raftLab, type LabApply, type LabMake, type LabRaft } from '@lab/raft/testing'
import { expect, test } from 'vitest'
import { PlainRaft } from './plain-raft.ts'

const makePlain: LabMake = (...args) => new PlainRaft(...args)

// Churn takes seconds with a Raft that encodes its whole log for each command, and snapshots it has none.
const within = raftLab({ make: makePlain }).filter(
  ({ title, part }) => part !== '2D' && !title.includes('Churn'),
)
for (const scenario of within)
  test(`a Raft that is not ours, Figure 2 and no more, passes ${scenario.title}`, async () => {
    const { peers } = await scenario.run(1)
    expect(peers).toBeGreaterThanOrEqual(3)
  })

test('§5.2: servers that refuse every vote never have a leader, and the suite says so', async () => {
  const refuse = { RequestVote: () => ({ term: 0, voteGranted: false }) }
  const failure = await failureOf('InitialElection (2A)', (...args) => {
    const raft = makePlain(...args)
    return changed(raft, { handlers: { ...raft.handlers, ...refuse } })
  })
  expect(failure.code).toBe('leaderAppears')
  expect(failure.message).toContain('InitialElection (2A), seed 1, after')
})

test('§5.2: two servers that say they lead in one term break Election Safety', async () => {
  const failure = await failureOf('InitialElection (2A)', (...args) =>
    changed(makePlain(...args), { getState: () => ({ term: 1, isLeader: true }) }),
  )
  expect(failure.code).toBe('electionSafety')
  expect(failure.message).toContain('§5.2, Figure 3')
})

test('§5.4.3: a server that applies another command at an index breaks State Machine Safety', async () => {
  const lie = applyingThrough((me, applied, apply) => {
    apply(
      me === 1 && applied.type === 'command' && applied.index > 1 ? { ...applied, command: 100 } : applied,
    )
  })
  expect((await failureOf('BasicAgree (2B)', lie)).code).toBe('stateMachineSafety')
})

test('Figure 2, lastApplied: a server that skips an index is found out', async () => {
  const skip = applyingThrough((_me, applied, apply) => {
    if (applied.index !== 1) apply(applied)
  })
  expect((await failureOf('RPCBytes (2B)', skip)).code).toBe('agreement')
  const skipThird = applyingThrough((me, applied, apply) => {
    if (me !== 1 || applied.index !== 3) apply(applied)
  })
  expect((await failureOf('Rejoin (2B)', skipThird)).code).toBe('applyInOrder')
})

test('Figure 2, persistent state: a server that forgets its term over a crash is found out', async () => {
  const forget: LabMake = (peers, me, persister, apply, env) =>
    makePlain(
      peers,
      me,
      { ...persister, readState: () => new Uint8Array(0), save: () => undefined },
      apply,
      env,
    )
  expect((await failureOf('Persist1 (2C)', forget)).code).toBe('termsOnlyGrow')
})

test('§5.3: a command that nobody started may not be applied', async () => {
  const invent: LabMake = (peers, me, persister, apply, env) => {
    if (me === 0)
      env.clock.setTimer(1, () => {
        apply({ type: 'command', index: 1, command: 'out of thin air' })
      })
    return makePlain(peers, me, persister, apply, env)
  }
  expect((await failureOf('BasicAgree (2B)', invent)).code).toBe('commitNeedsStart')
})

test('a Raft that refuses every command fails for want of agreement', async () => {
  const failure = await failureOf('BasicAgree (2B)', (...args) =>
    changed(makePlain(...args), { start: () => NotLeader }),
  )
  expect(failure.code).toBe('agreement')
})

test('§7: a Raft that throws at a snapshot fails part 2D with what it threw', async () => {
  const scenario = raftLab({ make: makePlain }).find(({ title }) => title === 'SnapshotBasic (2D)')
  await expect(scenario?.run(1)).rejects.toThrow('this Raft keeps its whole log')
})

test('a handler that throws fails the test with what it threw', async () => {
  const failure = await failureOf('BasicAgree (2B)', (...args) => {
    const raft = makePlain(...args)
    const broken = (): never => {
      throw new TypeError('entries is not iterable')
    }
    return changed(raft, { handlers: { ...raft.handlers, AppendEntries: broken } })
  })
  expect(failure.code).toBe('handlersReturn')
  expect(failure.message).toContain('AppendEntries threw TypeError: entries is not iterable')
})

/** Runs one scenario with seed 1, and expects it to fail. */
async function failureOf(title: string, make: LabMake): Promise<LabFailure> {
  const scenario = raftLab({ make }).find((one) => one.title === title)
  const failure = await scenario?.run(1).catch((thrown: unknown) => thrown)
  expect(failure).toBeInstanceOf(LabFailure)
  return failure as LabFailure
}

/** The same Raft with some of its methods replaced. */
function changed(raft: LabRaft, changes: Partial<LabRaft>): LabRaft {
  return {
    start: (command) => raft.start(command),
    getState: () => raft.getState(),
    handlers: raft.handlers,
    snapshot: (index, blob) => {
      raft.snapshot(index, blob)
    },
    kill: () => {
      raft.kill()
    },
    ...changes,
  }
}

/** A Figure 2 Raft whose applied commands pass through `through`. */
function applyingThrough(
  through: (me: number, applied: Parameters<LabApply>[0], apply: LabApply) => void,
): LabMake {
  return (peers, me, persister, apply, env) =>
    makePlain(
      peers,
      me,
      persister,
      (applied) => {
        through(me, applied, apply)
      },
      env,
    )
}
