/** The simulator: how much virtual time passes in a second of one core, and how long the checker takes. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { seededRandom } from '@lab/rpc'
import { checkLinearizable, kvModel, type KvOp, type KvResult, type Operation } from '@lab/sim'
import { NODE_OPTIONS } from '../packages/cli/src/sim/node-options.ts'
import type { Benchmark, Row } from './benchmark.ts'
import { NODES, type Load, type Speed } from './sim/load.ts'

export const benchmark: Benchmark = {
  title: `Simulator: ${String(NODES)} servers of the key/value store, all invariants checked, no faults, one core`,
  async run() {
    return [
      await speed('50 operations a second', { operationsPerSecond: 50, durationMs: 20_000, goal: 100 }),
      await speed('idle', { operationsPerSecond: 0, durationMs: 60_000, goal: 1000 }),
      checker(),
    ]
  },
}

/** In a process of its own, as `lab sim run --hours` has them: what ran here before would count. */
async function speed(what: string, { goal, ...load }: Load & { readonly goal: number }): Promise<Row> {
  const execArgv = [...process.execArgv, ...NODE_OPTIONS]
  const child = fork(join(import.meta.dirname, 'sim', 'speed-process.ts'), [JSON.stringify(load)], {
    execArgv,
  })
  const answer = await Promise.race([once(child, 'message'), once(child, 'exit')])
  const told: unknown = answer[0]
  if (typeof told !== 'object' || told === null) throw new Error(`the simulation of ${what} failed`)
  const { best, first, stepsPerMs } = told as Speed
  return {
    what,
    result: `${best.toFixed(0)} × real time`,
    goal: `≥ ${String(goal)} ×`,
    each: `${(1000 / best / stepsPerMs).toFixed(1)} µs a step; ${first.toFixed(0)} × with cold code`,
  }
}

/** 10 000 operations on 50 keys, four of each key under way at a time. */
function checker(): Row {
  const random = seededRandom(5)
  const values = new Map<string, string>()
  const operations = Array.from({ length: 10_000 }, (_, at): Operation<KvOp, KvResult> => {
    const key = `k${String(at % 50)}`
    const isRead = random.next() < 0.5
    if (!isRead) values.set(key, String(at))
    const op: KvOp = isRead ? { op: 'get', key } : { op: 'put', key, value: String(at) }
    const call = at - random.next() * 200
    const end = at + random.next() * 200
    const result = isRead ? (values.get(key) ?? null) : null
    return { id: at + 1, client: 'c', op, call, return: end, outcome: 'ok', result }
  })
  const started = performance.now()
  const { verdict } = checkLinearizable(kvModel, operations)
  if (verdict !== 'yes') throw new Error(`the checker says ${verdict}`)
  const seconds = (performance.now() - started) / 1000
  const each = `${(seconds * 100).toFixed(1)} µs an operation`
  return { what: 'check 10 000 operations, 50 keys', result: `${seconds.toFixed(2)} s`, goal: '< 2 s', each }
}
