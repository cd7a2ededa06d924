/** The rules that the labs' tests of part 3 hold a key/value service to. */
import { LabFailure, type LabRule } from '@lab/raft/testing'

const rules = {
  linearizable: {
    rule: 'every operation takes effect at one moment between its call and its return',
    section: '§8; thesis §6.3, §6.4',
  },
  exactlyOnce: {
    rule: 'an append takes effect once, however often it is sent, and in the order in which its client made it',
    section: '§8; thesis §6.3',
  },
  readsOwnWrites: { rule: 'who alone writes a key reads what it has written', section: '§8' },
  majorityServes: { rule: 'a majority that can talk to each other serves its clients', section: '§5.1, §8' },
  minorityWaits: { rule: 'servers cut off from the majority answer neither writes nor reads', section: '§8' },
  waitingEnds: {
    rule: 'what waits in a minority is answered once the servers are joined',
    section: 'lab 3A',
  },
  fastEnough: { rule: 'an operation does not wait for a heartbeat: 30 a second at least', section: 'lab 3A' },
  logIsTrimmed: {
    rule: "the Raft's state is never larger than eight times what asks for a snapshot",
    section: '§7; lab 3B',
  },
  noSnapshot: { rule: 'nobody makes a snapshot that nobody asked for', section: 'lab 3A' },
  snapshotIsSmall: {
    rule: 'a snapshot holds the state and what makes retries safe, and no history',
    section: '§7; lab 3B',
  },
} as const satisfies Readonly<Record<string, LabRule>>
export type KvRuleName = keyof typeof rules

/** Fails the test. @param seen what happened, with servers and numbers */
export function fail(code: KvRuleName, seen: string): never {
  throw new LabFailure(code, rules[code], seen)
}

/** Fails the test unless `holds`. */
export function mustBe(holds: boolean, code: KvRuleName, seen: string): void {
  if (!holds) fail(code, seen)
}
