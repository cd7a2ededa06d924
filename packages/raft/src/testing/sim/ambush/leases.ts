/**
 * Moments at which a promise that rests on time is worth something: another leads, and the one before has not heard of it. Each
 * takes one rule of leases (thesis §6.4.1) to the edge; by all rules together no lease is left when the other commits.
 */
import type { NodeId } from '../../../types.ts'
import type { Stage } from './stage.ts'

/** Answers reach a leader half a second after it has asked, and it is heard no more: its lease ended while they were on their way. */
export async function lateAnswers(stage: Stage): Promise<void> {
  const leader = stage.leader()
  if (leader === null) return
  const lateMs = stage.between(400, 570)
  stage.delay(leader, lateMs, lateMs + 600)
  await stage.sleep(stage.between(50, 200))
  for (const to of stage.votersBut(leader)) stage.strike({ what: 'one-way', from: leader, to }, 900)
  await stage.sleep(1200)
}

/** When a leader gives up a hand-over: an election timeout, at the most (thesis §3.10). */
const GIVEN_UP_MS = 600

/** The successor sleeps, and finds TimeoutNow a moment after the hand-over was given up; the leader does not see the election that it brings. */
export async function lateHandOver(stage: Stage): Promise<void> {
  const leader = stage.leader()
  if (leader === null) return
  const [to] = stage.votersBut(leader)
  if (to === undefined) return
  const { term = 0 } = stage.status(leader) ?? {}
  const sleepMs = stage.between(GIVEN_UP_MS + 1, GIVEN_UP_MS + 12)
  stage.strike({ what: 'pause', on: to }, sleepMs)
  void stage
    .node(leader)
    ?.transferLeadership(to, { timeout: 100 })
    .catch(() => undefined)
  const campaigns = await stage.until(() => (stage.status(to)?.term ?? 0) > term, sleepMs + 100)
  if (campaigns) stage.part(500, [leader], stage.votersBut(leader))
  await stage.sleep(800)
}

/** A follower promises, and forgets what it promised by a restart; the third server, cut off from the leader only, asks for its vote. */
export async function amnesia(stage: Stage): Promise<void> {
  const leader = stage.leader()
  if (leader === null) return
  const [witness, rival] = stage.votersBut(leader)
  if (witness === undefined || rival === undefined) return
  // It hears the leader and answers, but nothing is durable there: so the rival lacks nothing that is committed.
  const quick = stage.strike({ what: 'slow-disk', on: witness, factor: 3000 }, 2000)
  stage.part(2000, [leader, witness], [witness, rival])
  await stage.sleep(stage.between(450, 700))
  quick()
  stage.strike({ what: 'crash', on: witness }, 1)
  stage.part(600, [leader], [witness, rival])
  await stage.sleep(1000)
}

/** A leader whose predecessor had committed more than it knows of, and whose first own entry takes its time on the others' disks (§8). */
export async function blindSuccessor(stage: Stage): Promise<void> {
  const old = stage.leader()
  if (old === null) return
  const others = stage.votersBut(old)
  const { term = 0 } = stage.status(old) ?? {}
  const onTime = others.map((id) => stage.delay(id, stage.between(25, 45), 1500))
  await stage.sleep(stage.between(100, 250))
  stage.part(1500, [old], others)
  const successor = (): NodeId | undefined =>
    stage.statuses().find((each) => each.role === 'leader' && each.term > term)?.id
  if (await stage.until(() => successor() !== undefined, 1200))
    for (const on of others) if (on !== successor()) stage.strike({ what: 'slow-disk', on, factor: 400 }, 500)
  await stage.sleep(600)
  for (const end of onTime) end()
}
