/** A server that listens at two addresses is reached at the first before it listens at the second. */
import { RpcError, seededRandom, type Listener, type Transport } from '@lab/rpc'
import { MemoryNetwork, memory } from '@lab/rpc/memory'
import { ManualClock } from '@lab/rpc/testing'
import { expect, test } from 'vitest'
import { RaftNode, type RaftNodeOptions } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { appender, type Appender } from './appender.ts'

const clock = new ManualClock()
const network = new MemoryNetwork({ clock, random: seededRandom(1) })
const members = { n1: 'memory://n1:1', n2: 'memory://n2:1' }

function start(id: string, options: Partial<RaftNodeOptions<Appender>>): Promise<RaftNode<Appender>> {
  return RaftNode.start<Appender>({
    id,
    members,
    storage: memoryStorage({ clock, random: seededRandom(3) }),
    stateMachine: appender(),
    clock,
    random: seededRandom(Number(id.slice(1))),
    ...options,
  })
}

/** A second transport: it takes its time to listen, and notes whom it is told to dial. */
class Second implements Transport {
  readonly schemes = ['second']
  readonly dialled: string[] = []
  readonly asked: Promise<void>
  readonly #held: Promise<void>
  goOn = (): void => undefined
  #ask = (): void => undefined

  constructor() {
    this.asked = new Promise((resolve) => (this.#ask = resolve))
    this.#held = new Promise((resolve) => (this.goOn = resolve))
  }

  connect(to: string): Promise<never> {
    this.dialled.push(to)
    return Promise.reject(new RpcError('UNREACHABLE', 'nobody answers', { executed: 'no' }))
  }

  async listen(address: string): Promise<Listener> {
    this.#ask()
    await this.#held
    return { address, close: () => Promise.resolve() }
  }
}

test('a peer that reaches it meanwhile breaks nothing, and is told all addresses once it listens at all of them', async () => {
  const [ours, theirs] = [new Second(), new Second()]
  const storage = memoryStorage({ clock, random: seededRandom(2) })
  const transports = (id: string, second: Second): Transport[] => [memory(network, { name: id }), second]
  // They agree on who they are; afterwards nothing but the second start tells n2 of another address.
  const n2 = await clock.settle(start('n2', { transports: transports('n2', theirs) }))
  const before = await clock.settle(start('n1', { storage, transports: transports('n1', new Second()) }))
  await clock.settle(Promise.all([n2.ready(), before.ready()]))
  await clock.settle(before.close())

  const starting = start('n1', {
    storage,
    transports: transports('n1', ours),
    listen: ['memory://n1:1', 'second://n1:2'],
  })
  await clock.settle(ours.asked)
  // n2 greets n1, which dials n2 at the address that it was told.
  await clock.advance(2000)
  ours.goOn()
  const n1 = await clock.settle(starting)
  await clock.settle(n1.ready())
  expect(theirs.dialled).toEqual([])
  await clock.settle(n1.close())
  await clock.advance(2000)
  expect(theirs.dialled[0]).toBe('second://n1:2')
  await clock.settle(n2.close())
})
