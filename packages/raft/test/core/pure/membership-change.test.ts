/** Any set to any set, against a twin that says what is wanted server by server. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  afterJoint,
  jointOf,
  targetOf,
  withLearners,
  without,
  type MembershipChange,
} from '../../../src/core/membership-change.ts'
import { membersOf } from '../../../src/core/membership.ts'
import { countVotes } from '../../../src/core/quorum.ts'
import type { Membership } from '../../../src/types.ts'
import { membershipOf } from '../support/one-server.ts'

const IDS = ['a', 'b', 'c', 'd', 'e']
const WISHES = ['stay', 'add', 'learn', 'promote', 'demote', 'remove'] as const
type Part = 'voter' | 'learner' | 'out'

/** What becomes of one server; null when that cannot be asked of it. */
function twin(part: Part, wish: (typeof WISHES)[number]): Part | null {
  if (wish === 'stay') return part
  if (wish === 'add') return 'voter'
  if (wish === 'learn') return part === 'voter' ? null : 'learner'
  if (wish === 'remove') return 'out'
  if (part === 'out') return null
  return wish === 'promote' ? 'voter' : 'learner'
}

const parts = fc.array(fc.constantFrom<Part>('voter', 'learner', 'out'), { minLength: 5, maxLength: 5 })
const wishes = fc.array(fc.constantFrom(...WISHES), { minLength: 5, maxLength: 5 })

function currentOf(all: readonly Part[]): Membership {
  const of = (part: Part): string[] => IDS.filter((_, at) => all[at] === part)
  const members = [...of('voter'), ...of('learner')]
  return membershipOf(of('voter'), {
    learners: of('learner'),
    addresses: Object.fromEntries(members.map((id) => [id, [`tcp://${id}`]])),
    incarnations: Object.fromEntries(members.map((id) => [id, `${id}1`])),
  })
}

function changeOf(all: readonly (typeof WISHES)[number][]): MembershipChange {
  const of = (wish: string): string[] => IDS.filter((_, at) => all[at] === wish)
  const at = (ids: string[]): Record<string, string[]> =>
    Object.fromEntries(ids.map((id) => [id, [`tcp://${id}`]]))
  return {
    ...{ add: at(of('add')), addLearners: at(of('learn')), promote: of('promote') },
    ...{ demote: of('demote'), remove: of('remove') },
    incarnations: Object.fromEntries(IDS.map((id) => [id, `${id}2`])),
  }
}

describe('§6 what a change leads to', () => {
  test('is what was asked for each server, or is refused in words', () => {
    fc.assert(
      fc.property(parts, wishes, (all, wanted) => {
        const target = targetOf(currentOf(all), changeOf(wanted))
        const expected = all.map((part, at) => twin(part, wanted[at] ?? 'stay'))
        if (expected.includes(null) || !expected.includes('voter')) {
          expect(target).toBeTypeOf('string')
          return
        }
        if (typeof target === 'string') throw new Error(target)
        expect([...target.voters].sort()).toEqual(IDS.filter((_, at) => expected[at] === 'voter'))
        expect([...target.learners].sort()).toEqual(IDS.filter((_, at) => expected[at] === 'learner'))
      }),
      { numRuns: 2000 },
    )
  })

  test('on every step each member has an address and keeps its incarnation, and nobody else is named', () => {
    fc.assert(
      fc.property(parts, wishes, (all, wanted) => {
        const current = currentOf(all)
        const target = targetOf(current, changeOf(wanted))
        if (typeof target === 'string') return
        const learning = withLearners(current, target)
        const joint = jointOf(learning, target)
        const brought = membersOf(learning).filter((id) => !membersOf(current).includes(id))
        for (const step of [target, learning, joint, afterJoint(joint), without(learning, brought)]) {
          const members = membersOf(step).sort()
          expect(Object.keys(step.addresses).sort()).toEqual(members)
          expect(Object.keys(step.incarnations).sort()).toEqual(members)
          for (const id of members)
            expect(step.incarnations[id]).toBe(membersOf(current).includes(id) ? `${id}1` : `${id}2`)
        }
        expect(learning.voters).toEqual(current.voters)
        expect(without(learning, brought)).toEqual(current)
        expect(afterJoint(joint)).toEqual(target)
      }),
      { numRuns: 500 },
    )
  })

  test('no two steps that follow each other can decide without a server in common', () => {
    fc.assert(
      fc.property(parts, wishes, (all, wanted) => {
        const current = currentOf(all)
        const target = targetOf(current, changeOf(wanted))
        if (typeof target === 'string') return
        const joint = jointOf(current, target)
        for (let bits = 0; bits < 32; bits++) {
          const yes = new Map(IDS.map((id, at) => [id, ((bits >> at) & 1) === 1]))
          const no = new Map(IDS.map((id, at) => [id, ((bits >> at) & 1) === 0]))
          for (const [one, other] of [
            [current, joint],
            [joint, target],
          ] as const)
            expect([countVotes(one, yes), countVotes(other, no)]).not.toEqual(['won', 'won'])
        }
      }),
      { numRuns: 300 },
    )
  })
})
