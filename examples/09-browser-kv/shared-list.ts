/** A shopping list that pages share: a key for each item, in the store. The same code runs in a page and in Node. */
import { KvError, valueText, type Clerk } from '@lab/kvraft/clerk'

const PREFIX = 'list/'
export type State = 'wanted' | 'bought'
/** Name → state, in the order of names. */
export type Items = ReadonlyMap<string, State>

/** Two pages that add the same at once add it once. */
export async function add(clerk: Clerk, name: string): Promise<void> {
  await clerk.cas(PREFIX + name, 'wanted', { version: 0 })
}

export async function mark(clerk: Clerk, name: string, state: State): Promise<void> {
  await clerk.put(PREFIX + name, state)
}

export async function remove(clerk: Clerk, name: string): Promise<void> {
  await clerk.delete(PREFIX + name)
}

/** The list now, and again whenever somebody changes it, through the death of servers. */
export async function* follow(clerk: Clerk): AsyncGenerator<Items, never, undefined> {
  for (;;) {
    const { revision, entries } = await clerk.scan({ prefix: PREFIX }, { limit: 4096 })
    const items = new Map(entries.map(({ key, value }) => [nameOf(key), stateOf(value)]))
    yield sorted(items)
    try {
      // From the scan's revision on: nothing is missed between the two.
      for await (const event of clerk.watch({ prefix: PREFIX }, { after: revision })) {
        if (event.type === 'put') items.set(nameOf(event.key), stateOf(event.value))
        else items.delete(nameOf(event.key))
        yield sorted(items)
      }
    } catch (error) {
      // A laptop that slept for a day: what happened is no longer remembered change by change.
      if (!(error instanceof KvError && error.code === 'COMPACTED')) throw error
    }
  }
}

const nameOf = (key: Uint8Array): string => valueText(key).slice(PREFIX.length)
const stateOf = (value: Uint8Array): State => (valueText(value) === 'bought' ? 'bought' : 'wanted')
const sorted = (items: Items): Items => new Map([...items].sort(([a], [b]) => (a < b ? -1 : 1)))
