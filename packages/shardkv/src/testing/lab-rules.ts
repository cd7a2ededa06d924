/** The rules that the labs' tests of part 4B hold a sharded store to. */
import { LabFailure, type LabRule } from '@lab/raft/testing'

const rules = {
  valueIsKept: { rule: 'what was acknowledged is there, wherever its shard went', section: 'lab 4B' },
  linearizable: {
    rule: 'every operation takes effect at one moment between its call and its return',
    section: 'lab 4B',
  },
  ownShardsOnly: {
    rule: 'a group answers for the shards that the configuration gives it, and for no others',
    section: 'lab 4B',
  },
  logIsTrimmed: {
    rule: "a Raft's state is never larger than eight times what asks for a snapshot",
    section: 'lab 4B',
  },
  noSnapshot: { rule: 'nobody makes a snapshot that nobody asked for', section: 'lab 4B' },
  givenAwayIsDeleted: {
    rule: 'what a group has given away it keeps no longer',
    section: 'lab 4B, challenge 1',
  },
  unaffectedServes: {
    rule: 'shards that do not move, and those that have arrived, are served while others are on their way',
    section: 'lab 4B, challenge 2',
  },
} as const satisfies Readonly<Record<string, LabRule>>
export type ShardRuleName = keyof typeof rules

/** Fails the test. @param seen what happened, with servers and numbers */
export function fail(code: ShardRuleName, seen: string): never {
  throw new LabFailure(code, rules[code], seen)
}

/** Fails the test unless `holds`. */
export function mustBe(holds: boolean, code: ShardRuleName, seen: string): void {
  if (!holds) fail(code, seen)
}
