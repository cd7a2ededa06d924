/** The rules that the labs' tests of Raft hold it to, and the failure that names the broken one. */

/** A rule in plain words, and where the paper (or the labs' hand-out) states it. */
export interface LabRule {
  readonly rule: string
  readonly section: string
}

export const labRules = {
  electionSafety: { rule: 'at most one leader is elected in a term', section: '§5.2, Figure 3' },
  termsOnlyGrow: {
    rule: "a server's currentTerm never goes back, not even over a crash",
    section: '§5.1, Figure 2',
  },
  leaderAppears: {
    rule: 'a majority that can talk to each other has a leader within 5 s',
    section: '§5.2; the labs allow long election timeouts, but not longer than that',
  },
  leaderStays: {
    rule: 'while heartbeats arrive nobody starts an election: term and leader stay',
    section: '§5.2, Figure 2, Followers',
  },
  minorityHasNoLeader: { rule: 'without votes from a majority nobody becomes leader', section: '§5.2' },
  termsSpread: {
    rule: 'servers that talk to each other end up in one term, the highest',
    section: '§5.1, Figure 2, All Servers',
  },
  stateMachineSafety: {
    rule: 'no two servers apply different commands at one index',
    section: '§5.4.3, Figure 3, State Machine Safety',
  },
  applyInOrder: {
    rule: 'commands are applied in index order, none skipped',
    section: '§5.3, Figure 2, All Servers (lastApplied)',
  },
  agreement: {
    rule: 'a command that a leader took is committed and applied while a majority is connected',
    section: '§5.3',
  },
  commitNeedsMajority: {
    rule: 'an entry commits only once it is on a majority',
    section: '§5.3, Figure 2, Leaders, last rule',
  },
  commitNeedsStart: { rule: 'nothing is applied that no client started', section: '§5.3' },
  committedStays: {
    rule: 'what was once applied is in the log of every later leader',
    section: '§5.4, Figure 3, Leader Completeness; Figure 2, persistent state',
  },
  indexesAreDense: {
    rule: 'commands get the indexes 1, 2, 3 …; a leader puts each new one behind its last',
    section: '§5.3, Figure 3, Leader Append-Only',
  },
  onceToEachPeer: {
    rule: 'an entry goes to each peer just once when nothing is lost',
    section: '§5.3, lab 2B',
  },
  fewCalls: { rule: 'no more calls than elections, agreement and heartbeats need', section: 'lab 2B' },
  snapshotKeepsState: {
    rule: 'a snapshot stands for exactly the commands up to its index',
    section: '§7, Figure 13',
  },
  logIsTrimmed: { rule: 'a snapshot lets the log forget what it covers', section: '§7' },
  handlersReturn: { rule: 'a handler returns a reply and never throws', section: '§5.1; the labs’ RPC' },
  inTime: { rule: 'a test of the labs ends within 120 s', section: 'the labs’ own limit' },
} as const satisfies Readonly<Record<string, LabRule>>
export type LabRuleName = keyof typeof labRules

/** A rule was broken. `message` holds what was seen, the rule, and where it stands. */
export class LabFailure extends Error {
  override readonly name = 'LabFailure'
  /** The rule's name in its suite. */
  readonly code: string
  readonly rule: LabRule

  constructor(code: string, rule: LabRule, seen: string, options?: ErrorOptions) {
    super(`${seen}\n  the rule: ${rule.rule} (${rule.section})`, options)
    this.code = code
    this.rule = rule
  }

  /** The same, saying in which run and when. @param now virtual, in milliseconds */
  in(title: string, seed: number, now: number): LabFailure {
    const failure = new LabFailure(this.code, this.rule, '', { cause: this.cause })
    failure.message = `${title}, seed ${String(seed)}, after ${(now / 1000).toFixed(3)} s: ${this.message}`
    return failure
  }
}

/** Fails the test. @param seen what happened, with servers and numbers */
export function fail(code: LabRuleName, seen: string): never {
  throw new LabFailure(code, labRules[code], seen)
}
