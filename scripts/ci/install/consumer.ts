import { RaftError, RaftNode, type ApplyContext, type StateMachine } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { implement, serve, service, unary } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'

class Counter implements StateMachine<{ add: number }, number> {
  total = 0
  apply(command: { add: number }, context: ApplyContext): number {
    if (context.index < 1) throw new Error('impossible')
    return (this.total += command.add)
  }
}

export async function main(): Promise<void> {
  const node = await RaftNode.start({
    id: 'n1',
    members: { n1: 'localhost:7001' },
    transport: tcp(),
    storage: fileStorage('./data/n1'),
    stateMachine: new Counter(),
  })
  const total: number = await node.propose({ add: 1 }, { timeout: 2000 })
  const now: number = await node.read((counter) => counter.total)
  // @ts-expect-error a command has a shape
  await node.propose({ subtract: 1 }).catch((error: unknown) => error instanceof RaftError && error.code)
  await node.close()

  const Greeter = service('greeter', { hello: unary<{ name: string }, string>() })
  const server = await serve({ transport: tcp(), listen: 'localhost:0' }, [
    implement(Greeter, { hello: ({ name }) => `hello ${name}, ${total + now}` }),
  ])
  await server.close()
}
