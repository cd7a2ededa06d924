/** Our own controller behind the labs' interface: the suite's first adapter, on any Raft of the labs' form. */
import {
  LabRsm,
  LabRsmClerk,
  describeLabCore,
  labCore,
  type LabDescribe,
  type LabMake,
} from '@lab/raft/testing'
import { assert } from '@lab/rpc'
import { controllerCodecs } from '../codecs.ts'
import { commandCodec, type Command } from '../commands.ts'
import { Controller } from '../controller.ts'
import { answerCodec, queryCodec } from '../queries.ts'
import { resultCodec } from '../results.ts'
import { LAB_SHARDS, type LabMakeController, type LabMakeControllerClerk } from './lab-interface.ts'

/** @param raft the one below. Default: our core */
export function labController(raft: LabMake = labCore()): LabMakeController {
  return (peers, me, persister, env) => {
    const machine = new Controller()
    machine.apply({ op: 'create', shards: LAB_SHARDS, keyToShard: 'first-byte' })
    return new LabRsm(peers, me, persister, env, {
      raft,
      maxRaftState: -1,
      service: { machine, ...controllerCodecs },
    })
  }
}

export const labControllerClerk: LabMakeControllerClerk = (servers, env) => {
  const clerk = new LabRsmClerk(servers, env)
  const change = async (command: Command): Promise<void> => {
    const result = await clerk.command(commandCodec.encode(command), resultCodec)
    assert(result.status === 'done', 'the labs ask for nothing that is refused')
  }
  return {
    async query(num) {
      const answer = answerCodec.decode(await clerk.query(queryCodec.encode({ op: 'config', num })))
      assert(answer.status === 'config', 'the labs forget no configuration')
      return answer.config
    },
    join: (groups) => {
      const joining = Object.entries(groups).map(([gid, names]) => ({
        gid: Number(gid),
        weight: 1,
        servers: names,
      }))
      return change({ op: 'join', groups: joining })
    },
    leave: (gids) => change({ op: 'leave', gids }),
    move: (shard, gid) => change({ op: 'move', shard, gid }),
  }
}

/** For the trace: what our core's messages say. */
export const describeLabController: LabDescribe = (method, value) =>
  method === 'Command' || method === 'Query' ? {} : describeLabCore(method, value)
