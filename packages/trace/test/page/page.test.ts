import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TraceEvent } from '@lab/rpc'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { htmlPage } from '../../src/index.ts'
import { buildModel } from '../../src/page/model.ts'
import { LEFT, TOP } from '../../src/page/viewport.ts'
import { CHROMIUM, launch } from '../../../../test/shared/chromium.ts'

const folder = mkdtempSync(join(tmpdir(), 'lab-page-'))
let browser: Browser | null = null
let script = ''

beforeAll(async () => {
  const source = new URL('../../../../scripts/lib/page-script.mjs', import.meta.url)
  const { pageScript } = (await import(source.href)) as { readonly pageScript: () => Promise<string> }
  script = await pageScript()
  if (CHROMIUM === undefined) console.log('skipped: chromium not found')
  else browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

const nodes = ['n1', 'n2', 'n3']
const number = (events: readonly object[]): TraceEvent[] =>
  events.map((event, at) => ({ i: at + 1, t: at * 1000, ...event }) as TraceEvent)
const evil = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">'
const story = number([
  { n: 'n1', k: 'start', term: 0 },
  { n: 'n2', k: 'start', term: 0 },
  { n: 'n1', k: 'timer', what: 'deadline' },
  { n: 'n1', k: 'send', m: 'a>1', to: 'n2', type: 'RequestVote', term: 1, c: 3 },
  { n: 'n2', k: 'recv', m: 'a>1', from: 'n1', type: 'RequestVote', term: 1 },
  { n: 'n2', k: 'send', m: 'a<1', to: 'n1', type: 'RequestVoteReply', term: 1, voteGranted: true, c: 5 },
  { n: 'n1', k: 'recv', m: 'a<1', from: 'n2', type: 'RequestVoteReply', term: 1, voteGranted: true },
  { n: 'n1', k: 'role', role: 'leader', term: 1, why: 'a majority voted for it', c: 7 },
  { n: 'n1', k: 'send', m: 'a>2', to: 'n3', type: 'AppendEntries', term: 1 },
  { n: 'n1', k: 'drop', m: 'a>2', to: 'n3', type: 'message', why: 'lost' },
  { n: 'n2', k: 'note', topic: 'x', text: evil },
  { n: 'n3', k: 'role', role: 'leader', term: 1 },
])

function write(
  name: string,
  events: readonly TraceEvent[],
  title = 'a story',
  names: readonly string[] = nodes,
): string {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64')
  const file = join(folder, name)
  writeFileSync(file, htmlPage({ title, data: { nodes: names, events }, script, sha256 }))
  return pathToFileURL(file).href
}

/** A page on which nothing may go wrong and nothing may be fetched. */
async function open(url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser!.newPage({ viewport: { width: 1200, height: 800 } })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => problems.push(message.text()))
  page.on('request', (request) => {
    if (request.url() !== url) problems.push(`fetches ${request.url()}`)
  })
  await page.goto(url)
  await page.locator('[role=row]').first().waitFor()
  return { page, problems }
}

test('the page names no address, and its data cannot end the element that holds them', () => {
  const page = htmlPage({ title: evil, data: { nodes, events: story }, script: 'run()', sha256: () => 'x' })
  expect(page).not.toMatch(/https?:\/\//)
  expect(page.match(/<script/g)).toHaveLength(2)
  expect(page).not.toContain('<img')
})

const inChromium = test.runIf(CHROMIUM !== undefined)

inChromium('it opens from a file, fetches nothing, and shows text of the trace as text', async () => {
  const { page, problems } = await open(write('story.html', story, evil))
  expect(await page.locator('#hidden').textContent()).toBe('12 events shown, 0 hidden')
  expect(await page.locator('h1').textContent()).toBe(evil)
  expect(await page.locator('[role=row]').nth(10).textContent()).toContain(evil)
  expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false)
  expect(problems).toEqual([])
})

inChromium('the first broken rule is chosen, and the keys go through what an event came of', async () => {
  const { page } = await open(write('broken.html', story))
  expect(await page.locator('#verdict').textContent()).toBe(
    '✗ n1 and n3 both lead in term 1 (§5.2, Figure 3), event 12',
  )
  expect(await page.locator('#details .broken').textContent()).toContain(
    'at most one leader is elected in a term',
  )
  await page.keyboard.press('Shift+E')
  const steps = page.locator('#details button')
  expect(await steps.allTextContents()).toEqual([
    '#8  0.0070 s  n1 became leader in term 1: a majority voted for it',
    '#7  0.0060 s  because n1 received RequestVoteReply from n2 (term 1, voteGranted)',
    '#6  0.0050 s  because n2 sent RequestVoteReply to n1 (term 1, voteGranted)',
    '#5  0.0040 s  because n2 received RequestVote from n1 (term 1)',
    '#4  0.0030 s  because n1 sent RequestVote to n2 (term 1)',
    '#3  0.0020 s  because the timer of n1 rang',
  ])
  await page.keyboard.press('c')
  expect(await steps.first().textContent()).toContain('#7')
  await steps.nth(2).click()
  expect(await page.locator('[aria-selected=true]').textContent()).toContain('#5')
})

inChromium('the filter of the command line works in the page, and shows its mistakes', async () => {
  const { page } = await open(write('filter.html', story))
  await page.keyboard.press('/')
  await page.keyboard.type('type=RequestVote node=n2')
  expect(await page.locator('#hidden').textContent()).toBe('1 events shown, 11 hidden')
  expect(await page.locator('[role=row]').allTextContents()).toEqual([
    expect.stringContaining('← n1 RequestVote'),
  ])
  await page.locator('#filter').fill('term>=x')
  expect(await page.locator('#problem').textContent()).toContain('term>= takes a number')
})

inChromium(
  'a button filters, the pointer tells what is under it, and v goes to what broke a rule',
  async () => {
    const { page, problems } = await open(write('look.html', story))
    await page.getByRole('button', { name: 'elections' }).click()
    expect(await page.locator('#hidden').textContent()).toBe('3 events shown, 9 hidden')
    expect(await page.locator('[aria-pressed=true]').allTextContents()).toEqual(['elections'])
    const box = (await page.locator('#diagram').boundingBox())!
    // Event 8 on the first lane of three, at 7 of 11 ms.
    const x = LEFT + ((7 / 11 + 0.02) / 1.04) * (box.width - LEFT)
    await page.locator('#diagram').hover({ position: { x, y: TOP + (0.5 / 3) * (box.height - TOP) } })
    await page.locator('#tip:not([hidden])').waitFor()
    expect(await page.locator('#tip').textContent()).toBe(
      '#8  0.0070 s  n1 became leader in term 1: a majority voted for it',
    )
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('v')
    expect(await page.locator('#details button').first().textContent()).toContain('#12')
    await page.locator('#filter').fill('node=n9')
    expect(await page.locator('#hidden').textContent()).toBe('0 events shown, 12 hidden')
    expect(problems).toEqual([])
  },
)

inChromium(
  'lanes, arrows, roles and the cross of a lost message are on the canvas, and a click chooses',
  async () => {
    const { page } = await open(write('canvas.html', story))
    const colors = await page.evaluate(() => {
      const canvas = document.querySelector('canvas')!
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      const seen = new Set<string>()
      for (let at = 0; at < data.length; at += 4) seen.add(`${data[at]} ${data[at + 1]} ${data[at + 2]}`)
      return [...seen]
    })
    // Leader, RequestVote, a loss.
    for (const color of ['0 158 115', '230 159 0', '213 94 0']) expect(colors).toContain(color)
    const box = (await page.locator('canvas').boundingBox())!
    // Event 11, on the second lane of three, 10/11 of the way with margins of 2 %.
    const x = 64 + ((10_000 + 220) / (11_000 + 440)) * (box.width - 64)
    await page.locator('canvas').click({ position: { x, y: 28 + (1.5 / 3) * (box.height - 28) } })
    expect(await page.locator('#details button').first().textContent()).toContain('#11')
  },
)

inChromium(
  'fifty thousand events open in seconds, and a frame while zooming takes a fraction of one',
  async () => {
    const many = number(
      Array.from({ length: 50_000 }, (_, at) => {
        const m = `m${Math.floor(at / 2)}`
        const [n, other] = at % 4 < 2 === (at % 2 === 0) ? ['n1', 'n2'] : ['n2', 'n1']
        return at % 2 === 0
          ? { n, k: 'send', m, to: other, type: 'AppendEntries', term: 1, entries: 1 }
          : { n, k: 'recv', m, from: other, type: 'AppendEntries', term: 1, entries: 1 }
      }),
    )
    const begun = performance.now()
    const { page } = await open(write('many.html', many))
    expect(performance.now() - begun).toBeLessThan(15_000)
    await page.locator('canvas').hover()
    const frames = await page.evaluate(async () => {
      const times: number[] = []
      for (let at = 0; at < 10; at++) {
        const start = performance.now()
        document
          .querySelector('canvas')!
          .dispatchEvent(new WheelEvent('wheel', { deltaY: -1, cancelable: true }))
        await new Promise(requestAnimationFrame)
        await new Promise(requestAnimationFrame)
        times.push(performance.now() - start)
      }
      return times.sort((a, b) => a - b)
    })
    console.log(`50 000 events: a zoomed frame in ${frames[5]!.toFixed(0)} ms (median of ten)`)
    expect(frames[5]).toBeLessThan(1000)
  },
)

const grouped = number([
  { n: 'm1', k: 'start' },
  { n: 'm2', k: 'start' },
  { n: 'm1', g: 100, k: 'role', role: 'leader', term: 1 },
  { n: 'm2', g: 101, k: 'role', role: 'leader', term: 4 },
  { n: 'm2', g: 100, k: 'shard', what: 'frozen', shard: 7, num: 2, to: 101 },
  { n: 'm1', g: 101, k: 'shard', what: 'installed', shard: 7, num: 2, keys: 3 },
  { n: '', k: 'fault', what: 'SIGKILL m1' },
  { n: 'm1', k: 'stop', why: 'killed' },
])

test('lanes stand group by group, and what befalls a machine befalls its replicas', () => {
  const { lanes, laneOf } = buildModel(grouped, ['m1', 'm2'])
  expect(lanes.map(({ group, node }) => `${group ?? ''} ${node}`)).toEqual([
    ...[' m1', ' m2', '100 m1', '100 m2', '101 m1', '101 m2'],
  ])
  expect(grouped.map(laneOf)).toEqual([0, 1, 2, 5, 3, 4, undefined, 0])
  const down = lanes.filter(({ gaps }) => gaps.length > 0).map(({ group, node }) => `${group ?? ''} ${node}`)
  expect(down).toEqual([' m1', '100 m1', '101 m1'])
  expect(lanes[0]?.roles).toEqual([])
  expect(lanes[2]?.roles.map(({ role, start, end }) => ({ role, start, end }))).toEqual([
    { role: 'follower', start: 0, end: 2000 },
    { role: 'leader', start: 2000, end: 7000 },
  ])
})

inChromium('an event of a group is found in the lane of its replica', async () => {
  const { page, problems } = await open(write('groups.html', grouped, 'groups', ['m1', 'm2']))
  const box = (await page.locator('#diagram').boundingBox())!
  // The fifth of six lanes; event 6 of 8 at 5 of 7 ms, with a margin of a fiftieth on both sides.
  const x = LEFT + ((5 / 7 + 0.02) / 1.04) * (box.width - LEFT)
  const y = TOP + (4.5 / 6) * (box.height - TOP)
  await page.locator('#diagram').click({ position: { x, y } })
  expect(await page.locator('#details button').first().textContent()).toContain('shard 7 installed')
  expect(await page.locator('[aria-selected=true]').textContent()).toContain('101 m1')
  expect(problems).toEqual([])
})
