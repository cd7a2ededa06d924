/**
 * The least that passes part 3A, and the example for the labs' interface: a map of texts on any Raft. It repeats a request until a
 * leader has applied it, remembers the last one of each client, and puts reads into the log.
 */
import {
  NotLeader,
  labCore,
  type LabApplied,
  type LabEnv,
  type LabMake,
  type LabPeer,
  type LabPersister,
  type LabRaft,
} from '@lab/raft/testing'
import { sleep, type Clock } from '@lab/rpc'
import type { LabClerk, LabKvServer, LabMakeClerk, LabMakeKvServer } from '@lab/kvraft/testing'

/** What a client asks, and what stands in the log. */
export interface Request {
  readonly op: 'get' | 'put' | 'append'
  readonly key: string
  readonly value: string
  readonly client: string
  /** Counts this client's requests, from 1. */
  readonly number: number
}

/** How long a server waits for what it started. */
const PATIENCE_MS = 500
const PAUSE_MS = 30

export class PlainKvServer implements LabKvServer {
  readonly handlers: LabKvServer['handlers']
  readonly #raft: LabRaft
  readonly clock: Clock
  readonly #values = new Map<string, string>()
  /** By client: the number of its last request, and what it was answered. */
  readonly #last = new Map<string, { readonly number: number; readonly answer: string }>()

  constructor(
    peers: readonly LabPeer[],
    me: number,
    persister: LabPersister,
    env: LabEnv,
    raft: LabMake = labCore(),
  ) {
    this.clock = env.clock
    const apply = (applied: LabApplied): void => {
      if (applied.type === 'command') this.#apply(JSON.parse(String(applied.command)) as Request)
    }
    this.#raft = raft(peers, me, persister, apply, env)
    this.handlers = { ...this.#raft.handlers, Request: (request: Request) => this.#serve(request) }
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return this.#raft.getState()
  }

  kill(): void {
    this.#raft.kill()
  }

  /** @returns null when this server does not lead, or could not get it agreed */
  async #serve(request: Request): Promise<{ readonly answer: string } | null> {
    if (this.#raft.start(JSON.stringify(request)) === NotLeader) return null
    const end = this.clock.now() + PATIENCE_MS
    while (this.clock.now() < end) {
      const last = this.#last.get(request.client)
      if (last?.number === request.number) return { answer: last.answer }
      await sleep(this.clock, 1)
    }
    return null
  }

  #apply({ op, key, value, client, number }: Request): void {
    if (number <= (this.#last.get(client)?.number ?? 0)) return // Sent twice: thesis §6.3.
    const before = this.#values.get(key) ?? ''
    if (op !== 'get') this.#values.set(key, op === 'put' ? value : before + value)
    this.#last.set(client, { number, answer: before })
  }
}

/** What `lab grade` looks for. */
export const makeServer: LabMakeKvServer = (peers, me, persister, _maxRaftState, env) =>
  new PlainKvServer(peers, me, persister, env)

export const makeClerk: LabMakeClerk = (servers, env): LabClerk => {
  const client = String(env.random.next())
  let number = 0
  let leader = 0
  const ask = async (op: Request['op'], key: string, value: string): Promise<string> => {
    const request: Request = { op, key, value, client, number: ++number }
    for (;;) {
      const reply = await servers[leader]?.call('Request', request)
      if (typeof reply === 'object' && reply !== null) return (reply as { readonly answer: string }).answer
      leader = (leader + 1) % servers.length
      if (leader === 0) await sleep(env.clock, PAUSE_MS)
    }
  }
  return {
    get: (key) => ask('get', key, ''),
    async put(key, value) {
      await ask('put', key, value)
    },
    async append(key, value) {
      await ask('append', key, value)
    },
  }
}
