/** Our own groups behind the labs' interface: the suite's first adapter, on any Raft of the labs' form. */
import { storeCodecs } from '@lab/kvraft'
import { KeyOperations } from '@lab/kvraft/clerk'
import { RaftError } from '@lab/raft'
import { decodeReply, encodePlain, resultOf } from '@lab/raft/rsm'
import {
  LabRsm,
  describeLabCore,
  labCore,
  type LabDescribe,
  type LabEnv,
  type LabMake,
  type LabPeer,
} from '@lab/raft/testing'
import { assert, bytesCodec, sleep, type Timer } from '@lab/rpc'
import type { Config } from '@lab/shardctrler'
import { labControllerClerk, type LabConfig, type LabControllerClerk } from '@lab/shardctrler/testing'
import { answerPage, answerTaken } from '../answers.ts'
import { ConfigCache } from '../config-cache.ts'
import { Follower, type ConfigSource } from '../follower.ts'
import { ShardMachine } from '../machine.ts'
import type { Remote } from '../migration.ts'
import { Nudge } from '../nudge.ts'
import type { OtherGroups } from '../other-groups.ts'
import { Puller } from '../puller.ts'
import { Releaser } from '../releaser.ts'
import { ShardClient } from '../shard-client.ts'
import type { GroupWays } from '../shard-route.ts'
import { pageAnswerCodec, pageRequestCodec, takenRequestCodec } from '../shard-service.ts'
import type { LabMakeShardClerk, LabMakeShardServer } from './lab-interface.ts'

/** How often a server looks whether it leads, and asks for the next configuration: the labs' tenth of a second. */
const LOOK_MS = 20
const POLL_MS = 80
const FOR_EVER = 2 ** 40

/** @param raft the one below. Default: our core */
export function labShards(raft: LabMake = labCore()): LabMakeShardServer {
  return ({ peers, me, persister, maxRaftState, gid, controllers, reach }, env) => {
    // The labs have no watches: their snapshots have no room for a history of changes.
    const machine = new ShardMachine({ gid, historyBytes: 0 })
    const rsm = new LabRsm(peers, me, persister, env, {
      raft,
      maxRaftState,
      service: { machine, ...storeCodecs },
    })
    const nudge = new Nudge(env.clock)
    machine.listen({ moved: () => nudge.wake(), changed: () => undefined, dropped: () => undefined })
    const node = {
      makesSnapshot: false,
      propose: async (command: Uint8Array): Promise<void> => {
        const reply = await rsm.handlers['Command']?.(encodePlain(command) as never)
        if (!(reply instanceof Uint8Array)) throw new RaftError('NOT_LEADER', 'this server does not lead')
      },
    }
    const mover = {
      machine,
      node,
      nudge,
      clock: env.clock,
      traffic: machine.traffic,
      groups: overPeers(reach),
    }
    const configs = polled(labControllerClerk(controllers, env), env)
    const tasks = [new Follower({ ...mover, configs }), new Puller(mover), new Releaser(mover)]
    const office = new Office(rsm, env, (signal) => {
      for (const task of tasks) task.run(signal).catch(env.fail)
    })
    return {
      handlers: {
        ...rsm.handlers,
        Page: (bytes: Uint8Array) =>
          pageAnswerCodec.encode(answerPage(machine, pageRequestCodec.decode(bytes))).slice(),
        Taken: (bytes: Uint8Array) => answerTaken(machine, takenRequestCodec.decode(bytes)),
      },
      kill: () => {
        office.leave()
        rsm.kill()
      },
    }
  }
}

export const labShardClerk: LabMakeShardClerk = ({ controllers, reach }, env) => {
  const controller = labControllerClerk(controllers, env)
  const { clock, random } = env
  let client: Promise<KeyOperations> | null = null
  const connected = async (): Promise<KeyOperations> => {
    const query = async (): Promise<Config> => configOf(await controller.query(-1))
    const configs = new ConfigCache(await query(), query, () => undefined)
    const options = { configs, clock, random, timeout: FOR_EVER, attemptTimeout: 2000 }
    return new KeyOperations(new ShardClient({ ...options, groups: waysOver(reach) }))
  }
  const store = (): Promise<KeyOperations> => (client ??= connected())
  return {
    get: async (key) => (await (await store()).getText(key)) ?? '',
    put: async (key, value) => {
      await (await store()).put(key, value)
    },
    append: async (key, value) => {
      await (await store()).append(key, value)
    },
  }
}

/** For the trace: what our core's messages say. */
export const describeLabShards: LabDescribe = (method, value) =>
  ['Command', 'Query', 'Page', 'Taken'].includes(method) ? {} : describeLabCore(method, value)

/** Has work done while a server leads. */
class Office {
  readonly #rsm: LabRsm
  readonly #env: LabEnv
  readonly #begin: (signal: AbortSignal) => void
  #term: { readonly number: number; readonly controller: AbortController } | null = null
  #timer: Timer | null = null
  #isOver = false

  constructor(rsm: LabRsm, env: LabEnv, begin: (signal: AbortSignal) => void) {
    this.#rsm = rsm
    this.#env = env
    this.#begin = begin
    this.#look()
  }

  leave(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#term?.controller.abort()
  }

  #look(): void {
    if (this.#isOver) return
    const { term, isLeader } = this.#rsm.getState()
    if (this.#term !== null && (!isLeader || this.#term.number !== term)) {
      this.#term.controller.abort()
      this.#term = null
    }
    if (isLeader && this.#term === null) {
      this.#term = { number: term, controller: new AbortController() }
      this.#begin(this.#term.controller.signal)
    }
    this.#timer = this.#env.clock.setTimer(LOOK_MS, () => {
      this.#look()
    })
  }
}

function polled(controller: LabControllerClerk, { clock }: Pick<LabEnv, 'clock'>): ConfigSource {
  return {
    async *watch({ after, signal }) {
      for (let num = after + 1; !signal.aborted;) {
        const config = await controller.query(num)
        if (config.num === num) {
          yield configOf(config)
          num++
        } else await sleep(clock, POLL_MS, signal)
      }
    },
  }
}

/** The labs' configurations are ours without what the labs do not have. */
function configOf({ num, shards, groups }: LabConfig): Config {
  return { num, shards, groups, keyToShard: 'first-byte', weights: {}, pinned: [] }
}

type Reach = (server: string) => LabPeer

function overPeers(reach: Reach): OtherGroups {
  const ask = async (
    { servers }: Remote,
    attempt: number,
    method: string,
    args: Uint8Array,
  ): Promise<Uint8Array | null> => {
    const server = servers[attempt % servers.length]
    const reply = server === undefined ? null : await reach(server).call(method, args)
    return reply instanceof Uint8Array ? reply : null
  }
  return {
    async page(from, request, attempt) {
      const reply = await ask(from, attempt, 'Page', pageRequestCodec.encode({ gid: from.gid, ...request }))
      return reply === null ? { kind: 'not-here' } : pageAnswerCodec.decode(reply)
    },
    async taken(to, moves, attempt) {
      const reply = await ask(to, attempt, 'Taken', takenRequestCodec.encode({ gid: to.gid, moves }))
      return moves.filter((_, at) => reply?.[at] === 1)
    },
  }
}

/** A way to the leader of each group. */
function waysOver(reach: Reach): GroupWays {
  const leaders = new Map<number, number>()
  const ask = async ({ gid, servers }: Remote, method: string, args: Uint8Array): Promise<Uint8Array> => {
    for (let left = servers.length; left > 0; left--) {
      const at = leaders.get(gid) ?? 0
      const reply = await reach(servers[at] ?? '').call(method, args)
      if (reply instanceof Uint8Array) return reply
      leaders.set(gid, (at + 1) % servers.length)
    }
    throw new RaftError('UNAVAILABLE', `no server of group ${gid} answers`, { outcome: 'unknown' })
  }
  return {
    of: (group) => ({
      propose: async (command) => {
        const result = resultOf(decodeReply(await ask(group, 'Command', encodePlain(command))), bytesCodec)
        assert(result instanceof Uint8Array, 'a group answers with bytes')
        return result
      },
      read: (query) => ask(group, 'Query', query),
    }),
  }
}
