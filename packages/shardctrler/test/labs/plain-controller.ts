/** The least that passes part 4A, and the example for the labs' interface: configurations as plain objects, on our Raft. */
import { LabRsm, LabRsmClerk, labCore } from '@lab/raft/testing'
import { jsonCodec } from '@lab/rpc'
import type { LabConfig, LabMakeController, LabMakeControllerClerk } from '@lab/shardctrler/testing'

type Groups = Readonly<Record<number, readonly string[]>>
type Command =
  | { readonly op: 'join'; readonly groups: Groups }
  | { readonly op: 'leave'; readonly gids: readonly number[] }
  | { readonly op: 'move'; readonly shard: number; readonly gid: number }

/** Who serves which shard: the rule that a student has to find. */
export type Rebalance = (shards: readonly number[], gids: readonly number[]) => number[]

const codec = jsonCodec<never>()
const commands = jsonCodec<Command>()
const configs = jsonCodec<LabConfig>()
const numbers = jsonCodec<number>()

/** From whoever has most to whoever has least, one shard at a time. */
export const rebalance: Rebalance = (before, gids) => {
  if (gids.length === 0) return before.map(() => 0)
  const shards = [...before]
  const count = (gid: number): number => shards.filter((owner) => owner === gid).length
  for (;;) {
    const sorted = [...gids].sort((a, b) => count(a) - count(b) || a - b)
    const [least = 0, most = 0] = [sorted[0], sorted.at(-1)]
    const orphan = shards.findIndex((owner) => !gids.includes(owner))
    if (orphan >= 0) shards[orphan] = least
    else if (count(most) - count(least) > 1) shards[shards.indexOf(most)] = least
    else return shards
  }
}

export function makeControllerWith(balance: Rebalance): LabMakeController {
  return (peers, me, persister, env) => {
    const history: LabConfig[] = [{ num: 0, shards: Array.from({ length: 10 }, () => 0), groups: {} }]
    const machine = {
      apply: (command: Command) => void history.push(nextOf(history.at(-1) as LabConfig, command, balance)),
      query: (num: number) => history[num] ?? history.at(-1),
    }
    const all = { codec, resultCodec: codec, queryCodec: codec, answerCodec: codec }
    return new LabRsm(peers, me, persister, env, {
      raft: labCore(),
      maxRaftState: -1,
      service: { machine, ...all },
    })
  }
}

function nextOf({ num, shards, groups }: LabConfig, command: Command, balance: Rebalance): LabConfig {
  if (command.op === 'move') return { num: num + 1, groups, shards: shards.with(command.shard, command.gid) }
  const entries = Object.entries(groups).filter(
    ([gid]) => command.op !== 'leave' || !command.gids.includes(Number(gid)),
  )
  const now: Groups = {
    ...(Object.fromEntries(entries) as Groups),
    ...(command.op === 'join' ? command.groups : {}),
  }
  return { num: num + 1, groups: now, shards: balance(shards, Object.keys(now).map(Number)) }
}

/** What `lab grade` looks for. */
export const makeController = makeControllerWith(rebalance)

export const makeControllerClerk: LabMakeControllerClerk = (servers, env) => {
  const clerk = new LabRsmClerk(servers, env)
  const change = async (command: Command): Promise<void> => {
    await clerk.command(commands.encode(command), codec)
  }
  return {
    query: async (num) => configs.decode(await clerk.query(numbers.encode(num))),
    join: (groups) => change({ op: 'join', groups }),
    leave: (gids) => change({ op: 'leave', gids }),
    move: (shard, gid) => change({ op: 'move', shard, gid }),
  }
}
