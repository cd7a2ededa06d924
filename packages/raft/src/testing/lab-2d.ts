/** Part 2D: snapshots in place of old log (§7). */
import { checkOneLeader, one, randomCommand } from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import { fail } from './lab-failure.ts'
import { nameOf } from './lab-safety.ts'
import type { Scenario } from './lab-scenario.ts'

const ROUNDS = 30
/** Of one server's persisted state, after at most some 24 commands that no snapshot covers. */
const STATE_BYTES_MAX = 2000

type Absence = 'none' | 'disconnected' | 'crashed'

const snapshotScenario = { part: '2D', servers: 3, snapshots: true } as const

export const scenarios2D: readonly Scenario[] = [
  { ...snapshotScenario, name: 'SnapshotBasic', play: (lab) => lagging(lab, 'none') },
  { ...snapshotScenario, name: 'SnapshotInstall', play: (lab) => lagging(lab, 'disconnected') },
  {
    ...snapshotScenario,
    name: 'SnapshotInstallUnreliable',
    unreliable: true,
    play: (lab) => lagging(lab, 'disconnected'),
  },
  { ...snapshotScenario, name: 'SnapshotInstallCrash', play: (lab) => lagging(lab, 'crashed') },
  {
    ...snapshotScenario,
    name: 'SnapshotInstallUnCrash',
    unreliable: true,
    play: (lab) => lagging(lab, 'crashed'),
  },
  { ...snapshotScenario, name: 'SnapshotAllCrash', play: allCrash },
  { ...snapshotScenario, name: 'SnapshotInit', play: init },
]

/** Thirty times one server misses 5 to 14 commands, so that the others have trimmed what it lacks when it is back. */
async function lagging(lab: LabCluster, absence: Absence): Promise<void> {
  await one(lab, randomCommand(lab), 3, { retry: true })
  let leader = await checkOneLeader(lab)
  for (let round = 0; round < ROUNDS; round++) {
    const next = lab.after(leader, 1)
    const [victim, sender] = round % 3 === 1 ? [leader, next] : [next, leader]
    await takeAway(lab, victim, absence)
    const commands = lab.random.integer(5, 14)
    for (let i = 0; i < commands; i++) lab.start(sender, randomCommand(lab))
    await one(lab, randomCommand(lab), absence === 'none' ? 3 : 2, { retry: true })
    checkStateSizes(lab)
    if (absence === 'none') continue
    if (absence === 'crashed') lab.restart(victim)
    lab.connect(victim)
    await one(lab, randomCommand(lab), 3, { retry: true })
    leader = await checkOneLeader(lab)
  }
}

async function takeAway(lab: LabCluster, victim: number, absence: Absence): Promise<void> {
  if (absence === 'none') return
  if (absence === 'disconnected') lab.disconnect(victim)
  else lab.crash(victim)
  await one(lab, randomCommand(lab), 2, { retry: true })
}

async function allCrash(lab: LabCluster): Promise<void> {
  await one(lab, randomCommand(lab), 3, { retry: true })
  for (let round = 0; round < 5; round++) {
    await agreeOnMany(lab, lab.random.integer(5, 14))
    const before = await one(lab, randomCommand(lab), 3, { retry: true })
    restartAll(lab)
    const after = await one(lab, randomCommand(lab), 3, { retry: true })
    if (after <= before)
      fail(
        'committedStays',
        `index ${String(before)} was agreed, and after a crash of all ${String(after)} is next`,
      )
  }
}

async function init(lab: LabCluster): Promise<void> {
  await one(lab, randomCommand(lab), 3, { retry: true })
  await agreeOnMany(lab, 11)
  restartAll(lab)
  // Makes every server save its state again: the snapshot that it no longer holds in memory must stay.
  await one(lab, randomCommand(lab), 3, { retry: true })
  restartAll(lab)
  await one(lab, randomCommand(lab), 3, { retry: true })
}

async function agreeOnMany(lab: LabCluster, howMany: number): Promise<void> {
  for (let i = 0; i < howMany; i++) await one(lab, randomCommand(lab), 3, { retry: true })
}

function restartAll(lab: LabCluster): void {
  for (const server of lab.servers) lab.crash(server)
  for (const server of lab.servers) lab.restart(server)
  for (const server of lab.servers) lab.connect(server)
}

function checkStateSizes(lab: LabCluster): void {
  for (const server of lab.servers) {
    const size = lab.stateSize(server)
    if (size >= STATE_BYTES_MAX)
      fail(
        'logIsTrimmed',
        `${nameOf(server)} keeps ${String(size)} bytes of state; less than 2000 make sense`,
      )
  }
}
