import { memory } from '@lab/rpc/memory'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CHROMIUM, launch } from '../../test/shared/chromium.ts'
import { servePage, type PageServer } from './serve-page.ts'
import { Store } from './store.ts'

let browser: Browser
let store: Store
let ours: PageServer

if (CHROMIUM === undefined) console.log('skipped: chromium not found')
const inChromium = test.runIf(CHROMIUM !== undefined)

beforeAll(async () => {
  if (CHROMIUM === undefined) return
  browser = await launch()
  store = await Store.plan(memory())
  ours = await servePage(store.addresses)
  await store.start([ours.origin])
})
afterAll(async () => {
  await browser?.close()
  ours?.close()
  await store?.close()
})

/** Of `expect.poll`: a machine may be slow. */
const poll = { timeout: 20_000 }

/** A window of its own, and what went wrong in it. */
async function open(url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  await page.goto(url)
  return { page, problems }
}

async function add(page: Page, name: string): Promise<void> {
  await page.locator('#name').fill(name)
  await page.keyboard.press('Enter')
}

const names = (page: Page): Promise<string[]> => page.locator('#list span').allTextContents()

inChromium('two pages share a list by watch, also while the server that leads is dead', async () => {
  const [ann, bob] = await Promise.all([open(ours.origin), open(ours.origin)])
  await expect.poll(() => bob.page.locator('#servers').textContent(), poll).toContain('leader')

  await add(ann.page, 'milk')
  await add(ann.page, '<img src=x onerror=alert(1)>')
  await expect.poll(() => names(bob.page), poll).toEqual(['<img src=x onerror=alert(1)>', 'milk'])

  const leader = store.leader!
  await store.kill(leader)
  await add(bob.page, 'eggs')
  await bob.page.locator('li', { hasText: 'milk' }).getByText('bought').click()
  await bob.page.locator('li', { hasText: '<img' }).getByText('remove').click()
  await expect.poll(() => names(ann.page), poll).toEqual(['eggs', 'milk'])
  await expect.poll(() => ann.page.locator('.bought').allTextContents(), poll).toEqual(['milk'])
  await expect.poll(() => ann.page.locator('#servers').textContent(), poll).toContain(`${leader}: silent`)

  await store.start([ours.origin], [leader])
  await expect.poll(() => ann.page.locator('#servers').textContent(), poll).toContain(`${leader}: follower`)
  expect([ann.problems, bob.problems]).toEqual([[], []])
})

inChromium('a page from elsewhere, with the same script, is let in by no server', async () => {
  const elsewhere = await servePage(store.addresses)
  const { page } = await open(elsewhere.origin)
  await expect.poll(() => page.locator('#note').textContent(), poll).toContain('it does not serve pages of')
  expect(await names(page)).toEqual([])
  elsewhere.close()
})
