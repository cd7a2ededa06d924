/** Part 2B, first half: agreement, and what it may cost (§5.3). */
import {
  checkIndex,
  checkNotApplied,
  checkOneLeader,
  ELECTION_MS,
  one,
  randomCommand,
  wait,
} from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import { fail } from './lab-failure.ts'
import { NotLeader, type LabCommand } from './lab-interface.ts'
import { show } from './lab-safety.ts'
import type { Scenario } from './lab-scenario.ts'

const TRIES = 5
const TRY_PAUSE_MS = 3000

export const agreementScenarios: readonly Scenario[] = [
  { name: 'BasicAgree', part: '2B', servers: 3, play: basicAgree },
  { name: 'RPCBytes', part: '2B', servers: 3, play: rpcBytes },
  { name: 'ConcurrentStarts', part: '2B', servers: 3, play: concurrentStarts },
  { name: 'Count', part: '2B', servers: 3, play: count },
]

async function basicAgree(lab: LabCluster): Promise<void> {
  for (let index = 1; index <= 3; index++) {
    checkNotApplied(lab, index, 'before anybody started a command for it')
    checkIndex(await one(lab, 100 * index, 3, { retry: false }), index)
  }
}

async function rpcBytes(lab: LabCluster): Promise<void> {
  await one(lab, 99, 3, { retry: false })
  const before = lab.network.totalBytes
  let sent = 0
  for (let index = 2; index <= 11; index++) {
    const command = randomString(lab, 5000)
    checkIndex(await one(lab, command, 3, { retry: false }), index)
    sent += command.length
  }
  const bytes = lab.network.totalBytes - before
  const most = 3 * sent + 50_000
  if (bytes > most)
    fail(
      'onceToEachPeer',
      `${String(bytes)} bytes for ${String(sent)} bytes of commands; at most ${String(most)} make sense`,
    )
}

async function concurrentStarts(lab: LabCluster): Promise<void> {
  await severalTries(lab, async () => {
    const leader = await checkOneLeader(lab)
    const first = lab.start(leader, 1)
    if (first === NotLeader) return false
    const commands = [100, 101, 102, 103, 104]
    const started = commands.map((command) => lab.start(leader, command))
    if (lab.servers.some((server) => lab.state(server)?.term !== first.term)) return false
    const applied: LabCommand[] = []
    for (const place of started) {
      if (place === NotLeader || place.term !== first.term) continue
      const command = await wait(lab, place.index, 3, { startTerm: first.term })
      if (command === null) return false
      applied.push(command)
    }
    for (const command of commands)
      if (!applied.includes(command))
        fail('agreement', `${show(command)}, one of five started at once, is not among ${applied.join(', ')}`)
    return true
  })
}

async function count(lab: LabCluster): Promise<void> {
  await checkOneLeader(lab)
  const election = callsReceived(lab)
  if (election < 1 || election > 30)
    fail('fewCalls', `${String(election)} calls to elect the first leader; 1 to 30 make sense`)
  let afterAgreement = 0
  await severalTries(lab, async () => {
    const leader = await checkOneLeader(lab)
    const before = callsReceived(lab)
    if (!(await agreeOnTwelve(lab, leader))) return false
    afterAgreement = callsReceived(lab)
    const calls = afterAgreement - before
    const most = (10 + 1 + 3) * 3
    if (calls > most)
      fail('fewCalls', `${String(calls)} calls for 12 commands; at most ${String(most)} make sense`)
    return true
  })
  await lab.sleep(ELECTION_MS)
  const idle = callsReceived(lab) - afterAgreement
  if (idle > 3 * 20) fail('fewCalls', `${String(idle)} calls in an idle second; at most 60 make sense`)
}

/** Starts twelve commands in a row and waits for all but the last. @returns whether it went through in one term */
async function agreeOnTwelve(lab: LabCluster, leader: number): Promise<boolean> {
  const first = lab.start(leader, 1)
  if (first === NotLeader) return false
  const commands: number[] = []
  for (let i = 1; i <= 11; i++) {
    const command = randomCommand(lab)
    commands.push(command)
    const started = lab.start(leader, command)
    if (started === NotLeader || started.term !== first.term) return false
    checkIndex(started.index, first.index + i)
  }
  for (const [i, command] of commands.slice(0, 10).entries()) {
    const applied = await wait(lab, first.index + 1 + i, 3, { startTerm: first.term })
    if (applied === null) return false
    if (applied !== command)
      fail(
        'agreement',
        `index ${String(first.index + 1 + i)} holds ${show(applied)}, the leader had put ${show(command)} there`,
      )
  }
  return lab.servers.every((server) => lab.state(server)?.term === first.term)
}

/** A term that moves on spoils an attempt; five in a row break the rule. */
async function severalTries(lab: LabCluster, attempt: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    if (i > 0) await lab.sleep(TRY_PAUSE_MS)
    if (await attempt()) return
  }
  fail('leaderStays', `the term moved on in each of ${String(TRIES)} attempts`)
}

function callsReceived(lab: LabCluster): number {
  return lab.servers.reduce((sum, server) => sum + lab.callsTo(server), 0)
}

function randomString(lab: LabCluster, length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_'
  return Array.from({ length }, () => letters[lab.random.integer(0, letters.length - 1)]).join('')
}
