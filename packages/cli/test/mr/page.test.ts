/** The status page of a job: what it serves, to whom, and what a browser makes of it. */
import { request } from 'node:http'
import type { JobStatus } from '@lab/mapreduce'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CHROMIUM, launch } from '../../../../test/shared/chromium.ts'
import { StatusPage } from '../../src/mr/page/server.ts'

const evil = '<img src=x onerror="window.hacked = 1">'

const status: JobStatus = {
  ...{ job: evil, state: 'running', epoch: 2, elapsedMs: 10_000, fraction: 0.5, skipped: 3 },
  map: { tasks: 6, completed: 3, inProgress: 2, grid: 'dddrb.', bytesIn: 100 },
  reduce: { tasks: 2, completed: 0, inProgress: 0, grid: '..', bytesIn: 0 },
  inputBytes: { total: 100_000_000, read: 50_000_000 },
  partitionBytes: [1_000_000, 3_000_000],
  workers: [{ id: 'w1', host: 'm1', pid: 7, slots: 2, running: 1 }],
  slowest: [
    { kind: 'map', task: 4, attempt: 2, worker: 'w1', runningMs: 9_000, fraction: 0.25, status: evil },
  ],
  counters: { lines: 12_345 },
  failures: [{ task: 'map 4', text: `map task 4 threw: no\n  at byte 7 of /in/a.txt\n  record: ${evil}` }],
}

let page: StatusPage
let browser: Browser | null = null
beforeAll(async () => {
  page = await StatusPage.open(0)
  if (CHROMIUM === undefined) console.log('skipped: chromium not found')
  else browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  page.close()
})

function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, page.url), { headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (more: string) => {
        text += more
        if (path === '/events') response.destroy()
      })
      response.on('close', () => {
        resolve({ status: response.statusCode ?? 0, text })
      })
    })
    asked.on('error', reject).end()
  })
}

test('the status is there as JSON and as events, for this machine and under its own name only', async () => {
  page.show(status)
  expect(JSON.parse((await get('/status.json')).text)).toEqual(status)
  expect((await get('/events')).text).toBe(`data: ${JSON.stringify(status)}\n\n`)
  expect(new URL(page.url).hostname).toBe('127.0.0.1')
  expect((await get('/status.json', { host: 'evil.example' })).status).toBe(403)
  expect((await get('/nothing')).status).toBe(404)
})

test.skipIf(CHROMIUM === undefined)(
  'a browser shows every task, the skew, the slowest, counters and failures, and follows',
  async () => {
    page.show(status)
    const tab = await browser?.newPage()
    if (tab === undefined) return
    const problems: string[] = []
    tab.on('pageerror', (error) => void problems.push(error.message))
    tab.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    await tab.goto(page.url)
    await tab.getByText('50 % · 10.0 s · 50.0 MB of 100.0 MB · 5.0 MB/s').waitFor()
    const text = (id: string): Promise<string | null> => tab.locator(`#${id}`).textContent()
    expect(await text('title')).toBe(`${evil}: running`)
    expect(
      await tab
        .getByLabel('3 of 6 map tasks done')
        .locator('span')
        .evaluateAll((spans) =>
          spans.map((span) => `${span.getAttribute('class') ?? ''} ${String(span.textContent.length)}`),
        ),
    ).toEqual(['done 3', 'running 1', 'backup 1', 'idle 1'])
    expect(await text('partitions')).toMatch(/13\.0 MB.*01\.0 MB/s)
    expect(await text('slowest')).toContain(`map 4, attempt 2w19.0 s25 %${evil}`)
    expect(await text('counters')).toContain('lines12,345')
    expect(await text('failures')).toContain(`record: ${evil}`)
    expect(await text('workers')).toContain('m1 pid 71 of 2 slots at work')

    page.show({
      ...status,
      job: 'words',
      state: 'done',
      fraction: 1,
      map: { ...status.map, grid: 'dddddd', completed: 6 },
    })
    await tab.getByText('words: done').waitFor()
    expect(await tab.getByLabel('6 of 6 map tasks done').locator('span').count()).toBe(1)
    expect(await tab.evaluate('window.hacked')).toBeUndefined()
    expect(problems).toEqual([])
  },
)
