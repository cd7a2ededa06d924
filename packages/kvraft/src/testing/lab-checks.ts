/** What the labs' tests of part 3 check of values and of servers' disks. */
import type { KvLabCluster } from './lab-cluster.ts'
import { mustBe } from './lab-rules.ts'

/** The Raft's state may be so many times as large as what asks for a snapshot. */
const STATE_FACTOR = 8

/** Each of a client's markers stands in the value once, and in order. */
export function checkMarkers(value: string, client: number, count: number): void {
  let before = -1
  for (let number = 0; number < count; number++) {
    const marker = `x ${String(client)} ${String(number)} y`
    const at = value.indexOf(marker)
    mustBe(at >= 0, 'exactlyOnce', `"${marker}" was acknowledged and is not in the value`)
    mustBe(value.lastIndexOf(marker) === at, 'exactlyOnce', `"${marker}" stands twice in the value`)
    mustBe(at > before, 'exactlyOnce', `"${marker}" stands before the one that came before it`)
    before = at
  }
}

/** No server keeps more log, or more snapshots, than it may. */
export function checkSizes(lab: KvLabCluster): void {
  const most = STATE_FACTOR * lab.maxRaftState
  for (const server of lab.servers) {
    const [name, state, snapshot] = [lab.name(server), lab.stateSize(server), lab.snapshotSize(server)]
    if (lab.maxRaftState < 0)
      mustBe(snapshot === 0, 'noSnapshot', `${name} has a snapshot of ${String(snapshot)} bytes`)
    else
      mustBe(
        state <= most,
        'logIsTrimmed',
        `${name} keeps ${String(state)} bytes; ${String(most)} are allowed`,
      )
  }
}

/** No snapshot has more than `most` bytes. */
export function checkSnapshotSizes(lab: KvLabCluster, most: number): void {
  for (const server of lab.servers) {
    const size = lab.snapshotSize(server)
    const seen = `the snapshot of ${lab.name(server)} has ${String(size)} bytes; ${String(most)} are allowed`
    mustBe(size <= most, 'snapshotIsSmall', seen)
  }
}
