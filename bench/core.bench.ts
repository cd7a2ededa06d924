/** What consensus itself costs: no disk, no socket, one thread. Beside it the codec alone, which no core could do without. */
import { EntryKind } from '../packages/raft/src/entry.ts'
import { RecordWriter, decodeRecords } from '../packages/raft/src/record.ts'
import type { Benchmark, Row } from './benchmark.ts'
import { Cores } from './core/cores.ts'
import { median } from './statistics.ts'

const PAYLOAD_BYTES = 256
const OUTSTANDING = [1, 64, 1024]
const GOALS: Readonly<Record<number, string>> = { 64: '≥ 130 000', 1024: '≥ 300 000' }
/** Many and short, the two in turn, so that both meet the same machine. */
const ROUNDS = 10
const SECONDS_MAX = 20

export const benchmark: Benchmark = {
  title:
    'Commits of 256 B by three cores in one thread, through the wire codec; codec is making the records once and checking them twice',
  run({ seconds }) {
    const millis = (Math.min(seconds, SECONDS_MAX) * 1000) / (OUTSTANDING.length * (ROUNDS + 1) * 2)
    return Promise.resolve(OUTSTANDING.map((outstanding) => compare(outstanding, millis)))
  },
}

function compare(outstanding: number, millis: number): Row {
  const cores = new Cores(PAYLOAD_BYTES)
  let free = outstanding
  const turn = (): number => {
    const committed = cores.turn(free)
    free = committed
    return committed
  }
  const codec = codecOf(outstanding)
  const commits: number[] = []
  const records: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const commitRate = rate(millis, turn)
    const recordRate = rate(millis, codec)
    // The first round meets cold code.
    if (round === 0) continue
    commits.push(commitRate)
    records.push(recordRate)
  }
  return {
    outstanding,
    'commits/s': median(commits),
    'codec alone/s': median(records),
    'commits : codec': median(commits) / median(records),
    goal: GOALS[outstanding] ?? '',
  }
}

/** Makes a batch of records and checks them twice, as a leader and two followers must. */
function codecOf(count: number): () => number {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(7)
  const writer = new RecordWriter()
  let index = 0
  return () => {
    for (let left = count; left > 0; left--) {
      const { slab, start, end } = writer.append({
        group: 0,
        kind: EntryKind.command,
        index: ++index,
        term: 1,
        time: 1,
        payload,
      })
      decodeRecords(slab, start, end)
      decodeRecords(slab, start, end)
    }
    return count
  }
}

/** What `work` gets done, in things a second. */
function rate(millis: number, work: () => number): number {
  const begun = performance.now()
  let done = 0
  let now = begun
  while (now - begun < millis) {
    done += work()
    now = performance.now()
  }
  return (done / (now - begun)) * 1000
}
