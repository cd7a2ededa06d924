import type { TraceEvent } from '@lab/rpc'
import { describeLabCore, labCore, raftLab } from '@lab/raft/testing'
import { expect, test } from 'vitest'

const scenarios = raftLab({ make: labCore(), describe: describeLabCore })

for (const title of ['Figure8 (2C)', 'UnreliableChurn (2C)'])
  test(`${title}: equal seeds give equal traces, byte for byte, and another seed another one`, async () => {
    const [first, second, other] = [await traceOf(title, 7), await traceOf(title, 7), await traceOf(title, 8)]
    expect(first.length).toBeGreaterThan(1000)
    for (const kind of ['send', 'recv', 'drop', 'role', 'apply', 'fault', 'call'])
      expect(first.some((line) => line.includes(`"k":"${kind}"`))).toBe(true)
    // Calls say what they carry, and servers why they did what they did.
    expect(
      first.some((line) => line.includes('"type":"AppendEntries"') && line.includes('"leaderCommit":')),
    ).toBe(true)
    expect(first.some((line) => line.includes('a majority voted for it'))).toBe(true)
    expect(first.findIndex((line, i) => line !== second[i])).toBe(-1)
    expect(second.length).toBe(first.length)
    expect(other.join('\n')).not.toBe(first.join('\n'))
  })

async function traceOf(title: string, seed: number): Promise<string[]> {
  const lines: string[] = []
  const trace = (event: TraceEvent): void => {
    lines.push(JSON.stringify(event))
  }
  await scenarios.find((scenario) => scenario.title === title)?.run(seed, { trace })
  return lines
}
