// A list that two browser pages share. Each has the store's own clerk, over WebSocket: it changes the list, and watches it.
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Clerk } from '@lab/kvraft/clerk'
import { webSocket } from '@lab/rpc/websocket'
import { chooseTransport } from '../shared/transport.ts'
import { servePage } from './serve-page.ts'
import { add, follow, mark, type Items } from './shared-list.ts'
import { Store } from './store.ts'

const { values } = parseArgs({ options: { once: { type: 'boolean' } }, strict: false })

const store = await Store.plan(chooseTransport()) // among servers; pages always come by WebSocket
const page = await servePage(store.addresses)
await store.start([page.origin])
console.log(`open ${page.origin} in two windows`)

await (values.once === true ? actPages() : untilInterrupted())
page.close()
await store.close()

/** Kills and starts servers as the terminal says. */
async function untilInterrupted(): Promise<void> {
  console.log('type n1, n2 or n3 to kill that server, and again to start it; end to end')
  for await (const line of createInterface({ input: process.stdin })) {
    const id = line.trim()
    if (id === 'end') return
    if (!['n1', 'n2', 'n3'].includes(id)) continue
    await (store.isRunning(id) ? store.kill(id) : store.start([page.origin], [id]))
    console.log(`${id} is ${store.isRunning(id) ? 'alive' : 'dead'}`)
  }
}

/** What two people would do with two windows, without the windows: the same clerk and the same list, in Node. */
async function actPages(): Promise<void> {
  const connect = (): Promise<Clerk> => Clerk.connect({ servers: store.addresses, transport: webSocket() })
  const [ann, bob] = await Promise.all([connect(), connect()])
  const [annSees, bobSees] = [follow(ann), follow(bob)]
  await Promise.all([listOf(0, annSees), listOf(0, bobSees)])

  await add(ann, 'milk')
  await add(ann, 'bread')
  console.log(`Ann adds two, Bob sees ${await listOf(2, bobSees)}`)

  const leader = store.leader ?? ''
  await store.kill(leader)
  console.log(`${leader}, which led, dies`)
  await mark(bob, 'milk', 'bought')
  await add(bob, 'eggs')
  console.log(`Bob goes on, Ann sees ${await listOf(3, annSees)}`)

  await store.start([page.origin], [leader])
  await Promise.all([ann.close(), bob.close()])
}

/** The first list with so many items, as a text. */
async function listOf(size: number, lists: AsyncGenerator<Items, never>): Promise<string> {
  for (;;) {
    const items = (await lists.next()).value
    if (items.size === size) return [...items].map(([name, state]) => `${name} (${state})`).join(', ')
  }
}
