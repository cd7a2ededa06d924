/** Our own store behind the labs' interface: the suite's first adapter, on any Raft of the labs' form. */
import {
  LabRsm,
  LabRsmClerk,
  describeLabCore,
  labCore,
  type LabDescribe,
  type LabMake,
} from '@lab/raft/testing'
import { commandCodec } from '../commands.ts'
import { storeCodecs } from '../codecs.ts'
import { answerCodec, queryCodec } from '../queries.ts'
import { resultCodec } from '../results.ts'
import { KvStore } from '../store.ts'
import { keyBytes, valueBytes, valueText } from '../text.ts'
import type { LabMakeClerk, LabMakeKvServer } from './lab-interface.ts'

/** @param raft the one below. Default: our core */
export function labStore(raft: LabMake = labCore()): LabMakeKvServer {
  return (peers, me, persister, maxRaftState, env) => {
    // The labs have no watches: their snapshots have no room for a history of changes.
    const service = { machine: new KvStore({ historyBytes: 0 }), ...storeCodecs }
    return new LabRsm(peers, me, persister, env, { raft, maxRaftState, service })
  }
}

/** For the trace: what our core's messages say. */
export const describeLabStore: LabDescribe = (method, value) =>
  method === 'Command' || method === 'Query' ? {} : describeLabCore(method, value)

export const labClerk: LabMakeClerk = (servers, env) => {
  const clerk = new LabRsmClerk(servers, env)
  const write = async (op: 'put' | 'append', key: string, value: string): Promise<void> => {
    await clerk.command(
      commandCodec.encode({ op, key: keyBytes(key), value: valueBytes(value) }),
      resultCodec,
    )
  }
  return {
    put: (key, value) => write('put', key, value),
    append: (key, value) => write('append', key, value),
    async get(key) {
      const answer = answerCodec.decode(
        await clerk.query(queryCodec.encode({ op: 'get', key: keyBytes(key) })),
      )
      return 'entry' in answer && answer.entry !== null ? valueText(answer.entry.value) : ''
    },
  }
}
