import type { JobStatus } from '@lab/mapreduce'
import { expect, test } from 'vitest'
import { ProgressLine } from '../../src/mr/progress.ts'

function status(elapsedMs: number, completed: number): JobStatus {
  const phase = { tasks: 4, completed, inProgress: 0, grid: '', bytesIn: 0 }
  return {
    ...{ job: 'j', state: 'running', epoch: 1, elapsedMs, map: phase, reduce: { ...phase, completed: 0 } },
    ...{ fraction: completed / 8, inputBytes: { total: 8e6, read: completed * 2e6 }, partitionBytes: [] },
    ...{ workers: [], slowest: [], counters: {}, failures: [], skipped: 0 },
  }
}

function shown(isTTY: boolean, columns = 80): { line: ProgressLine; text: () => string } {
  let text = ''
  const write = (more: string): void => {
    text += more
  }
  return { line: new ProgressLine({ isTTY, columns, write }), text: () => text }
}

test('where no terminal is, a line comes every two seconds at most, and only when something has changed', () => {
  const { line, text } = shown(false)
  for (const [elapsedMs, completed] of [
    [200, 0],
    [900, 1],
    [2_300, 2],
    [4_600, 2],
    [6_900, 4],
  ] as const)
    line.show(status(elapsedMs, completed))
  line.end()
  expect(text().split('\n')).toEqual([
    'map 0/4 · reduce 0/4 · 0 % · 0.0 MB/s · waiting for workers',
    'map 2/4 · reduce 0/4 · 25 % · 1.7 MB/s · waiting for workers · 7 s left',
    'map 2/4 · reduce 0/4 · 25 % · 0.9 MB/s · waiting for workers · 14 s left',
    'map 4/4 · reduce 0/4 · 50 % · 1.2 MB/s · waiting for workers · 7 s left',
    '',
  ])
})

test('a terminal has one line, rewritten in place, never longer than it is wide, and gone at the end', () => {
  const { line, text } = shown(true, 20)
  line.show(status(100, 1))
  line.show(status(200, 2))
  line.end()
  expect(text()).toBe('\r\u001b[2Kmap 1/4 · reduce 0/\r\u001b[2Kmap 2/4 · reduce 0/\r\u001b[2K')
})
