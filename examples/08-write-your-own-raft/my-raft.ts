/**
 * Your Raft. As it stands it compiles, answers politely, and never leads: the labs' tests say, one by one, what is missing.
 * Figure 2 of the paper is the specification; the comments say which part of it belongs where.
 */
import type { Timer } from '@lab/rpc'
import {
  NotLeader,
  type LabApply,
  type LabCommand,
  type LabEnv,
  type LabMake,
  type LabPeer,
  type LabPersister,
  type LabRaft,
  type Started,
} from '@lab/raft/testing'

/** Figure 2, RequestVote RPC: names and shapes are yours, but the viewer reads these. */
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

/** Figure 2, AppendEntries RPC. */
interface AppendEntries {
  readonly term: number
  readonly leaderId: number
  readonly prevLogIndex: number
  readonly prevLogTerm: number
  readonly entries: readonly { readonly term: number; readonly command: LabCommand }[]
  readonly leaderCommit: number
}
interface AppendEntriesReply {
  readonly term: number
  readonly success: boolean
}

/** 2A: well above ten heartbeats a second, well below five seconds; drawn anew each time (§5.2). */
const ELECTION_TIMEOUT_MS = { min: 400, max: 800 }

export class MyRaft implements LabRaft {
  readonly #peers: readonly LabPeer[]
  readonly #me: number
  readonly #env: LabEnv
  // Figure 2, State: currentTerm, votedFor and log are persistent; the rest is not.
  #currentTerm = 0
  #role: 'follower' | 'candidate' | 'leader' = 'follower'
  #timer: Timer | null = null

  /** What the others call: `peers[i].call('RequestVote', args)` arrives here, and resolves with what is returned. */
  readonly handlers = {
    RequestVote: (args: RequestVote): RequestVoteReply => this.#onRequestVote(args),
    AppendEntries: (args: AppendEntries): AppendEntriesReply => this.#onAppendEntries(args),
  }

  constructor(
    peers: readonly LabPeer[],
    me: number,
    _persister: LabPersister,
    _apply: LabApply,
    env: LabEnv,
  ) {
    this.#peers = peers
    this.#me = me
    this.#env = env
    // 2B: apply({ type: 'command', index, command }) tells the service what is committed, in order: keep it.
    // 2C: persister.save(bytes) is durable when it returns; readState() is what an earlier life saved: keep it too.
    this.#waitForElection()
  }

  /** 2B: a leader appends the command to its log, sends it to the others, and answers at once where it stands. */
  start(command: LabCommand): Started | NotLeader {
    if (this.#role !== 'leader') return NotLeader
    this.#env.note('start', `${String(command)} for ${String(this.#peers.length)} servers`)
    return { index: 1, term: this.#currentTerm }
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return { term: this.#currentTerm, isLeader: this.#role === 'leader' }
  }

  /** 2D: forget the log up to `index`; save `blob` together with what is left (§7). */
  snapshot(index: number, blob: Uint8Array): void {
    this.#env.note('snapshot', `up to ${String(index)}, ${String(blob.length)} bytes, forgotten`)
  }

  kill(): void {
    this.#timer?.cancel()
  }

  /** 2A: vote for the first who asks in a term (§5.2), if its log is not behind (§5.4.1). 2C: and never forget the vote. */
  #onRequestVote(args: RequestVote): RequestVoteReply {
    this.#env.note('vote', `n${String(args.candidateId + 1)} asks; nobody is voted for yet`)
    return { term: this.#currentTerm, voteGranted: false }
  }

  /** 2A: a leader is there: follow it. 2B: take its entries where the logs agree (§5.3), apply what it has committed. */
  #onAppendEntries(_args: AppendEntries): AppendEntriesReply {
    this.#waitForElection()
    return { term: this.#currentTerm, success: false }
  }

  #waitForElection(): void {
    this.#timer?.cancel()
    const { min, max } = ELECTION_TIMEOUT_MS
    this.#timer = this.#env.clock.setTimer(this.#env.random.integer(min, max), () => this.#campaign())
  }

  /** 2A: raise the term, vote for yourself, ask all others; lead once a majority has voted for you (§5.2). */
  #campaign(): void {
    this.#role = 'candidate'
    const args: RequestVote = {
      term: this.#currentTerm,
      candidateId: this.#me,
      lastLogIndex: 0,
      lastLogTerm: 0,
    }
    this.#peers.forEach((peer, server) => {
      // Never wait for one call before the next: a server that is cut off can take 7 s to fail.
      if (server !== this.#me) peer.call('RequestVote', args).catch(this.#env.fail)
    })
    this.#waitForElection()
  }
}

/** `lab grade my-raft.ts` looks for this. */
export const make: LabMake = (...args) => new MyRaft(...args)
