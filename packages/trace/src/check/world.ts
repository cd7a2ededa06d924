/**
 * What the trace has told so far, as one state: each server's role, term, log and progress, and what is committed. Rules
 * look at it before an event changes it.
 */
import type { TraceEvent } from '@lab/rpc'
import { numberOf, termRunsOf, textsOf } from '../fields.ts'
import { LogModel } from './log-model.ts'

/** One server in one group. */
export interface Server {
  readonly id: string
  /** In its present life; 0 before anything was said. */
  term: number
  /** The highest that was on disk. */
  durableTerm: number
  leads: boolean
  /** Null when the trace says nothing of logs, as with a foreign Raft. */
  log: LogModel | null
  /** Its disk has been seen to finish writes: what has not been seen on it is not there. */
  showsDisk: boolean
  /** In its present life; null when nothing was said. */
  commitIndex: number | null
  appliedIndex: number | null
  /** Entries up to here have been entered in {@link World.committed}. */
  registered: number
  config: Config
}

/** Who votes. During a joint change a majority of both is needed (§6). */
export interface Config {
  /** Where it stands in the log, or a later place. */
  readonly index: number
  readonly voters: readonly string[]
  readonly votersOutgoing: readonly string[]
}

/** An entry that somebody said is committed. */
export interface Committed {
  readonly term: number
  readonly by: string
  /** Number of the event. */
  readonly event: number
}

const NO_CONFIG: Config = { index: 0, voters: [], votersOutgoing: [] }

/** One group: its servers share one log. */
export class World {
  readonly servers = new Map<string, Server>()
  /** By index. */
  readonly committed: (Committed | undefined)[] = []
  /** The highest index in {@link committed}. */
  committedIndex = 0
  /** Commits have been seen: what has not been seen committed is not. */
  showsCommits = false
  /** The same of what servers append. */
  showsAppends = false

  server(id: string): Server {
    let server = this.servers.get(id)
    if (server === undefined) {
      server = newServer(id)
      this.servers.set(id, server)
    }
    return server
  }

  /** Takes note of the event of this server. By now the rules have seen it. */
  update(event: TraceEvent, server: Server): void {
    switch (event.k) {
      case 'start':
        this.#start(server, event)
        return
      case 'role':
        server.term = Math.max(server.term, numberOf(event, 'term') ?? 0)
        server.leads = event['role'] === 'leader'
        return
      case 'refuse':
        server.term = Math.max(server.term, numberOf(event, 'term') ?? 0)
        return
      case 'persist':
        server.durableTerm = Math.max(server.durableTerm, numberOf(event, 'term') ?? 0)
        server.showsDisk = true
        server.log?.persisted(numberOf(event, 'last') ?? 0)
        return
      case 'config':
        server.config = configOf(event)
        return
      case 'append':
        this.showsAppends = true
        appendTo(server, event)
        this.#register(server, event)
        return
      case 'truncate':
        server.log?.truncate(numberOf(event, 'from') ?? Infinity)
        return
      case 'commit':
        this.showsCommits = true
        server.commitIndex = Math.max(server.commitIndex ?? 0, numberOf(event, 'index') ?? 0)
        this.#register(server, event)
        return
      case 'apply':
        server.appliedIndex = numberOf(event, 'index') ?? server.appliedIndex
        return
      case 'snapshot':
        if (event['installed'] === true) install(server, event)
        return
      case 'fault':
        if (event['what'] === 'wipe') this.servers.delete(event.n)
        return
      default: // tells nothing of this state
    }
  }

  /** Enters the terms of what `server` has both in its log and committed. The first to say so counts. */
  #register(server: Server, event: TraceEvent): void {
    const { log, commitIndex } = server
    if (log === null) return
    const last = Math.min(log.last, commitIndex ?? 0)
    for (let index = server.registered + 1; index <= last; index++) {
      const term = log.termAt(index)
      if (term === undefined) continue
      this.committed[index] ??= { term, by: server.id, event: event.i }
      this.committedIndex = Math.max(this.committedIndex, index)
    }
    server.registered = Math.max(server.registered, last)
  }

  #start(server: Server, event: TraceEvent): void {
    const last = numberOf(event, 'lastIndex')
    const runs = termRunsOf(event, 'terms')
    const snapshot = numberOf(event, 'snapshotIndex')
    server.term = numberOf(event, 'term') ?? 0
    server.durableTerm = Math.max(server.durableTerm, server.term)
    server.leads = false
    server.commitIndex = snapshot ?? null
    server.appliedIndex = snapshot ?? null
    server.config = configOf(event)
    if (last === undefined || runs === undefined) return
    server.log ??= new LogModel()
    server.log.recover(last, runs)
  }
}

function newServer(id: string): Server {
  return {
    ...{ id, term: 0, durableTerm: 0, leads: false, log: null, showsDisk: false },
    ...{ commitIndex: null, appliedIndex: null, registered: 0, config: NO_CONFIG },
  }
}

function appendTo({ log }: Server, event: TraceEvent): void {
  const first = numberOf(event, 'first')
  const last = numberOf(event, 'last')
  const runs = termRunsOf(event, 'terms')
  if (first !== undefined && last !== undefined && runs !== undefined) log?.append(first, last, runs)
}

function install(server: Server, event: TraceEvent): void {
  const index = numberOf(event, 'index')
  if (index === undefined) return
  server.log?.install(index, numberOf(event, 'term'))
  server.appliedIndex = index
  if (server.commitIndex !== null) server.commitIndex = Math.max(server.commitIndex, index)
  server.registered = Math.max(server.registered, index)
}

function configOf(event: TraceEvent): Config {
  return {
    index: numberOf(event, 'index') ?? numberOf(event, 'lastIndex') ?? 0,
    voters: textsOf(event, 'voters') ?? [],
    votersOutgoing: textsOf(event, 'votersOutgoing') ?? [],
  }
}
