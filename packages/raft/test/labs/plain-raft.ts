/**
 * Figure 2 of the paper and nothing else, as a student would write it for the labs: JSON messages, no snapshots, the whole
 * state saved at each change. Here it proves that the suite takes a Raft that is not ours.
 */
import type { Timer } from '@lab/rpc'
import {
  NotLeader,
  type LabApply,
  type LabCommand,
  type LabEnv,
  type LabPeer,
  type LabPersister,
  type LabRaft,
  type Started,
} from '@lab/raft/testing'

interface Entry {
  readonly term: number
  readonly command: LabCommand
}
interface RequestVote {
  readonly term: number
  readonly candidateId: number
  readonly lastLogIndex: number
  readonly lastLogTerm: number
}
interface RequestVoteReply {
  readonly term: number
  readonly voteGranted: boolean
}
interface AppendEntries {
  readonly term: number
  readonly prevLogIndex: number
  readonly prevLogTerm: number
  readonly entries: readonly Entry[]
  readonly leaderCommit: number
}
interface AppendEntriesReply {
  readonly term: number
  readonly success: boolean
  readonly conflictIndex: number
}

const HEARTBEAT_MS = 120
const ELECTION_MS_MIN = 300
const ELECTION_MS_MAX = 600

export class PlainRaft implements LabRaft {
  readonly #peers: readonly LabPeer[]
  readonly #me: number
  readonly #persister: LabPersister
  readonly #apply: LabApply
  readonly #env: LabEnv
  #currentTerm = 0
  #votedFor = -1
  /** Index 0 is a sentinel, so that indexes are the paper's. */
  #log: Entry[] = [{ term: 0, command: '' }]
  #role: 'follower' | 'candidate' | 'leader' = 'follower'
  #commitIndex = 0
  #lastApplied = 0
  #nextIndex: number[] = []
  #matchIndex: number[] = []
  #timer: Timer | null = null
  #killed = false

  readonly handlers = {
    RequestVote: (args: RequestVote) => this.#onRequestVote(args),
    AppendEntries: (args: AppendEntries) => this.#onAppendEntries(args),
  }

  constructor(peers: readonly LabPeer[], me: number, persister: LabPersister, apply: LabApply, env: LabEnv) {
    this.#peers = peers
    this.#me = me
    this.#persister = persister
    this.#apply = apply
    this.#env = env
    this.#recover()
    this.#awaitElection()
  }

  start(command: LabCommand): Started | NotLeader {
    if (this.#role !== 'leader' || this.#killed) return NotLeader
    this.#log.push({ term: this.#currentTerm, command })
    this.#persist()
    this.#replicate()
    return { index: this.#lastIndex, term: this.#currentTerm }
  }

  getState(): { term: number; isLeader: boolean } {
    return { term: this.#currentTerm, isLeader: this.#role === 'leader' }
  }

  snapshot(): void {
    throw new Error('this Raft keeps its whole log')
  }

  kill(): void {
    this.#killed = true
    this.#timer?.cancel()
  }

  #onRequestVote({ term, candidateId, lastLogIndex, lastLogTerm }: RequestVote): RequestVoteReply {
    this.#meetTerm(term)
    // §5.4.1: by the term of the last entry, then by length.
    const mine = this.#termAt(this.#lastIndex)
    const upToDate = lastLogTerm > mine || (lastLogTerm === mine && lastLogIndex >= this.#lastIndex)
    const free = this.#votedFor === -1 || this.#votedFor === candidateId
    const voteGranted = term === this.#currentTerm && free && upToDate
    if (voteGranted) {
      this.#votedFor = candidateId
      this.#persist()
      this.#awaitElection()
    }
    return { term: this.#currentTerm, voteGranted }
  }

  #onAppendEntries(args: AppendEntries): AppendEntriesReply {
    const { term, prevLogIndex, prevLogTerm, entries, leaderCommit } = args
    this.#meetTerm(term)
    if (term < this.#currentTerm) return { term: this.#currentTerm, success: false, conflictIndex: 0 }
    this.#role = 'follower'
    this.#awaitElection()
    if (prevLogIndex > this.#lastIndex || this.#termAt(prevLogIndex) !== prevLogTerm)
      return { term, success: false, conflictIndex: this.#conflictAt(prevLogIndex) }
    entries.forEach((entry, i) => {
      const index = prevLogIndex + 1 + i
      // §5.3: only an entry that conflicts ends the log; a late, shorter message must not.
      if (index <= this.#lastIndex && this.#termAt(index) !== entry.term) this.#log.length = index
      if (index > this.#lastIndex) this.#log.push(entry)
    })
    if (entries.length > 0) this.#persist()
    this.#commit(Math.min(leaderCommit, prevLogIndex + entries.length))
    return { term, success: true, conflictIndex: 0 }
  }

  /** The first index of the conflicting term, or the first that is missing (§5.3). */
  #conflictAt(prevLogIndex: number): number {
    if (prevLogIndex > this.#lastIndex) return this.#lastIndex + 1
    let index = prevLogIndex
    while (index > 1 && this.#termAt(index - 1) === this.#termAt(prevLogIndex)) index--
    return index
  }

  #campaign(): void {
    this.#role = 'candidate'
    this.#currentTerm++
    this.#votedFor = this.#me
    this.#persist()
    this.#awaitElection()
    const term = this.#currentTerm
    const lastLogIndex = this.#lastIndex
    const args = { term, candidateId: this.#me, lastLogIndex, lastLogTerm: this.#termAt(lastLogIndex) }
    let votes = 1
    for (const peer of this.#others()) {
      void peer.call('RequestVote', args).then((reply) => {
        if (reply === undefined || this.#killed) return
        const { term: theirs, voteGranted } = reply as RequestVoteReply
        this.#meetTerm(theirs)
        if (!voteGranted || this.#role !== 'candidate' || this.#currentTerm !== term) return
        if (++votes * 2 > this.#peers.length) this.#lead()
      })
    }
  }

  #lead(): void {
    this.#role = 'leader'
    this.#env.note('role', `leads in term ${String(this.#currentTerm)}`)
    this.#nextIndex = this.#peers.map(() => this.#lastIndex + 1)
    this.#matchIndex = this.#peers.map(() => 0)
    this.#heartbeat()
  }

  #heartbeat(): void {
    this.#replicate()
    this.#timer?.cancel()
    this.#timer = this.#env.clock.setTimer(HEARTBEAT_MS, () => {
      this.#heartbeat()
    })
  }

  #replicate(): void {
    this.#peers.forEach((peer, to) => {
      if (to !== this.#me) void this.#append(peer, to)
    })
  }

  async #append(peer: LabPeer, to: number): Promise<void> {
    const prevLogIndex = (this.#nextIndex[to] ?? 1) - 1
    const entries = this.#log.slice(prevLogIndex + 1)
    const term = this.#currentTerm
    const prevLogTerm = this.#termAt(prevLogIndex)
    const args = { term, prevLogIndex, prevLogTerm, entries, leaderCommit: this.#commitIndex }
    const reply = (await peer.call('AppendEntries', args)) as AppendEntriesReply | undefined
    if (reply === undefined || this.#killed) return
    this.#meetTerm(reply.term)
    if (this.#role !== 'leader' || this.#currentTerm !== term) return
    if (reply.success) {
      this.#matchIndex[to] = Math.max(this.#matchIndex[to] ?? 0, prevLogIndex + entries.length)
      this.#nextIndex[to] = (this.#matchIndex[to] ?? 0) + 1
      this.#commitWhatAMajorityHas()
    } else {
      this.#nextIndex[to] = Math.max(
        (this.#matchIndex[to] ?? 0) + 1,
        Math.min(prevLogIndex, reply.conflictIndex),
      )
      void this.#append(peer, to)
    }
  }

  #commitWhatAMajorityHas(): void {
    const known = this.#matchIndex.map((index, server) => (server === this.#me ? this.#lastIndex : index))
    const majority = known.sort((a, b) => b - a)[Math.floor(known.length / 2)] ?? 0
    // §5.4.2: entries of earlier terms commit only below one of this term.
    if (this.#termAt(majority) === this.#currentTerm) this.#commit(majority)
  }

  #commit(index: number): void {
    this.#commitIndex = Math.max(this.#commitIndex, index)
    while (this.#lastApplied < this.#commitIndex) {
      const applied = ++this.#lastApplied
      this.#apply({ type: 'command', index: applied, command: this.#log[applied]?.command ?? '' })
    }
  }

  /** §5.1: a higher term makes everybody a follower. */
  #meetTerm(term: number): void {
    if (term <= this.#currentTerm) return
    this.#currentTerm = term
    this.#votedFor = -1
    this.#persist()
    if (this.#role === 'leader') this.#awaitElection()
    this.#role = 'follower'
  }

  #awaitElection(): void {
    this.#timer?.cancel()
    if (this.#killed) return
    const delay = this.#env.random.integer(ELECTION_MS_MIN, ELECTION_MS_MAX)
    this.#timer = this.#env.clock.setTimer(delay, () => {
      this.#campaign()
    })
  }

  #recover(): void {
    const state = this.#persister.readState()
    if (state.length === 0) return
    const saved = JSON.parse(new TextDecoder().decode(state)) as [number, number, Entry[]]
    ;[this.#currentTerm, this.#votedFor, this.#log] = saved
  }

  #persist(): void {
    const state = JSON.stringify([this.#currentTerm, this.#votedFor, this.#log])
    this.#persister.save(new TextEncoder().encode(state))
  }

  #others(): LabPeer[] {
    return this.#peers.filter((_, server) => server !== this.#me)
  }

  #termAt(index: number): number {
    return this.#log[index]?.term ?? 0
  }

  get #lastIndex(): number {
    return this.#log.length - 1
  }
}
