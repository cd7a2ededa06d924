/** What every trace must obey, in plain words, and where the paper states it. One file beside this one checks each. */

export interface Rule {
  readonly rule: string
  readonly section: string
}

export const rules = {
  electionSafety: { rule: 'at most one leader is elected in a term', section: '§5.2, Figure 3' },
  voteOnce: {
    rule: 'a server votes for at most one candidate in a term, also when it crashes in between',
    section: '§5.2, Figure 2, votedFor',
  },
  termsOnlyGrow: {
    rule: "a server's currentTerm never goes back; what was on disk is there after a crash",
    section: '§5.1, Figure 2',
  },
  leaderAppendOnly: {
    rule: 'a leader never overwrites or removes entries of its own log',
    section: '§5.3, Figure 3, Leader Append-Only',
  },
  logMatching: {
    rule: 'two logs with an entry of the same index and term are equal up to there',
    section: '§5.3, Figure 3, Log Matching',
  },
  leaderCompleteness: {
    rule: 'what is committed is in the log of every later leader',
    section: '§5.4, Figure 3, Leader Completeness',
  },
  stateMachineSafety: {
    rule: 'no two servers commit or apply different entries at one index',
    section: '§5.4.3, Figure 3, State Machine Safety',
  },
  commitOwnTerm: {
    rule: 'a leader counts only entries of its own term as committed; earlier ones commit with them',
    section: '§5.4.2, Figure 8',
  },
  commitNeedsMajority: {
    rule: 'an entry commits only once it is on the disks of a majority',
    section: '§5.3, Figure 2, Leaders, last rule',
  },
  commitOnlyGrows: { rule: 'commitIndex never goes back', section: 'Figure 2, volatile state' },
  applyInOrder: {
    rule: 'entries are applied in index order, none skipped or repeated',
    section: '§5.3, Figure 2, lastApplied',
  },
  applyCommitted: {
    rule: 'only what is committed, and durable here, is applied',
    section: 'Figure 2, All Servers, first rule',
  },
  snapshotIsCommitted: {
    rule: 'a snapshot stands for committed entries, and never for more than was applied',
    section: '§7, Figure 12',
  },
  acknowledgedStays: {
    rule: 'what a client was told is done is never lost',
    section: '§5.4, §8',
  },
  shardOneOwner: {
    rule: 'under each configuration one group serves a shard, the one that it names',
    section: 'shard migration',
  },
  shardServedWhileOwned: {
    rule: 'a replica answers for a shard only from the entry that installs it to the one that freezes it',
    section: 'shard migration',
  },
  shardConfigsInOrder: {
    rule: 'every group applies the same configurations, one by one; none is left out in which it owns anything',
    section: 'shard migration',
  },
  shardHandedOverWhole: {
    rule: 'a shard is taken over only after its source froze it, with all that it had',
    section: 'shard migration',
  },
  shardKeptUntilTaken: {
    rule: "the source deletes a shard only after the destination's log has it",
    section: 'shard migration',
  },
  saidByItself: { rule: 'whoever wrote the trace found a rule broken', section: 'see the event' },
} as const satisfies Readonly<Record<string, Rule>>
export type RuleName = keyof typeof rules
