/** The rules that the labs' tests of part 4A hold a shard controller to. */
import { LabFailure, type LabRule } from '@lab/raft/testing'

const rules = {
  membership: { rule: 'a configuration has the groups that joined and have not left', section: 'lab 4A' },
  validOwners: { rule: 'while there are groups, each shard has one of them', section: 'lab 4A' },
  balanced: { rule: 'no group has two shards more than another', section: 'lab 4A' },
  serversKept: { rule: "a group's servers stay as they were given, in their order", section: 'lab 4A' },
  historyStays: {
    rule: 'a configuration of a number is the same for ever, on every server',
    section: 'lab 4A; §8',
  },
  moveMoves: {
    rule: 'a moved shard is where it was moved to, and none moves back by itself',
    section: 'lab 4A',
  },
  fewestMoves: { rule: 'as few shards move as balance allows', section: 'lab 4A' },
  sameEverywhere: {
    rule: 'every server makes the same configuration of the same commands',
    section: '§2; Figure 3, State Machine Safety',
  },
} as const satisfies Readonly<Record<string, LabRule>>
export type ControllerRuleName = keyof typeof rules

/** Fails the test unless `holds`. @param seen what happened, with groups and numbers */
export function mustBe(holds: boolean, code: ControllerRuleName, seen: string): void {
  if (!holds) throw new LabFailure(code, rules[code], seen)
}
