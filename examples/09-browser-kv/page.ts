/** The page: the store's own clerk, over the browser's WebSocket. */
/// <reference lib="dom" />
import { Clerk } from '@lab/kvraft/clerk'
import { webSocket } from '@lab/rpc/websocket'
import { add, follow, mark, remove, type Items, type State } from './shared-list.ts'

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no ${id}`)
  return element as T
}

function button(label: string, onClick: () => Promise<void>): HTMLButtonElement {
  const element = document.createElement('button')
  element.textContent = label
  element.addEventListener('click', () => void told(onClick()))
  return element
}

/** Tells what became of a change. The clerk has found the new leader by then, if there was one to be found. */
async function told(change: Promise<void>): Promise<void> {
  const began = performance.now()
  const took = (): string => `in ${(performance.now() - began).toFixed(0)} ms`
  await change.then(
    () => (byId('note').textContent = `on the disks of a majority ${took()}`),
    (error: unknown) => (byId('note').textContent = `${String(error)}, ${took()}`),
  )
}

function item(clerk: Clerk, name: string, state: State): HTMLLIElement {
  const element = document.createElement('li')
  const text = document.createElement('span')
  text.textContent = name
  text.className = state
  const [label, next] =
    state === 'wanted' ? (['bought', 'bought'] as const) : (['not yet', 'wanted'] as const)
  element.append(
    text,
    button(label, () => mark(clerk, name, next)),
    button('remove', () => remove(clerk, name)),
  )
  return element
}

const show = (clerk: Clerk, items: Items): void =>
  byId('list').replaceChildren(...[...items].map(([name, state]) => item(clerk, name, state)))

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function showServers(clerk: Clerk, addresses: readonly string[]): Promise<never> {
  for (;;) {
    const reports = await clerk.status({ timeout: 1000 })
    const lines = addresses.map((address, i) => {
      const report = reports.find((one) => one.addresses.includes(address))
      return `n${i + 1}: ${report?.status?.role ?? 'silent'}`
    })
    byId('servers').textContent = lines.join(' · ')
    await pause(500)
  }
}

async function showList(clerk: Clerk): Promise<never> {
  for (;;) {
    try {
      for await (const items of follow(clerk)) show(clerk, items)
    } catch (error) {
      byId('note').textContent = String(error) // no majority for as long as a read waits
      await pause(1000)
    }
  }
}

async function main(): Promise<void> {
  const servers = JSON.parse(document.body.dataset['servers'] ?? '[]') as string[]
  const clerk = await Clerk.connect({ servers, transport: webSocket() })
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault()
    const field = byId<HTMLInputElement>('name')
    const name = field.value.trim()
    field.value = ''
    if (name !== '') void told(add(clerk, name))
  })
  await Promise.all([showList(clerk), showServers(clerk, servers)])
}

main().catch((error: unknown) => (byId('note').textContent = String(error)))
