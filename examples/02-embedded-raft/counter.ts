// What is replicated, and how one server of it starts.
import { RaftNode, stateMachine, type JsonStateMachine, type Storage } from '@lab/raft'
import { chooseTransport } from '../shared/transport.ts'

/** memory(), tcp() or webSocket(). */
export const transport = chooseTransport()

export interface Add {
  add: number
}

/** The same commands in the same order give the same total on every server. That is all a state machine has to promise. */
function counter(): JsonStateMachine<{ total: number }, Add, number, 'total', number> {
  return stateMachine({
    initial: { total: 0 },
    apply: (state, { add }: Add) => (state.total += add),
    query: (state, _query: 'total') => state.total,
  })
}

/** Starts one server. It needs a majority of `members` to do anything, and may die at any time. */
export function startServer(
  id: string,
  members: Readonly<Record<string, string>>,
  storage: Storage,
): Promise<RaftNode<ReturnType<typeof counter>>> {
  return RaftNode.start({ id, members, transport, storage, stateMachine: counter() })
}
