/** What the labs' tests ask of a cluster, under the labs' names. All waiting is virtual. */
import type { LabCluster } from './lab-cluster.ts'
import { fail } from './lab-failure.ts'
import { NotLeader, type LabCommand, type Started } from './lab-interface.ts'
import { nameOf, show } from './lab-safety.ts'

/** The labs' nominal election time. */
export const ELECTION_MS = 1000
const LEADER_ROUNDS = 10
const AGREEMENT_MS = 10_000
const COMMIT_MS = 2000
const POLL_MS = 20

/**
 * Waits up to some 5 s for a leader among the connected servers.
 *
 * @returns the one with the highest term: an old leader that has not heard of it may still be there
 */
export async function checkOneLeader(lab: LabCluster): Promise<number> {
  for (let round = 0; round < LEADER_ROUNDS; round++) {
    await lab.sleep(lab.random.integer(450, 549))
    let leader = -1
    let term = -1
    for (const server of connectedOf(lab)) {
      const state = lab.state(server)
      if (state?.isLeader === true && state.term > term) {
        leader = server
        term = state.term
      }
    }
    if (leader >= 0) return leader
  }
  return fail('leaderAppears', `no leader among ${namesOf(connectedOf(lab))} for 5 s`)
}

/** All connected servers are in one term. @returns which */
export function checkTerms(lab: LabCluster): number {
  const terms = connectedOf(lab).map((server) => lab.state(server)?.term ?? 0)
  if (new Set(terms).size > 1)
    fail('termsSpread', `${namesOf(connectedOf(lab))} are in the terms ${terms.join(', ')}`)
  return terms[0] ?? 0
}

/** No connected server says that it leads. */
export function checkNoLeader(lab: LabCluster): void {
  for (const server of connectedOf(lab))
    if (lab.state(server)?.isLeader === true)
      fail(
        'minorityHasNoLeader',
        `${nameOf(server)} leads although only ${namesOf(connectedOf(lab))} can talk`,
      )
}

/** How many servers have applied the index. */
export function countApplied(lab: LabCluster, index: number): number {
  return lab.servers.filter((server) => lab.safety.commandAt(server, index) !== undefined).length
}

/** What was applied at the index, by whomever: they agree. */
export function commandAt(lab: LabCluster, index: number): LabCommand | undefined {
  for (const server of lab.servers) {
    const command = lab.safety.commandAt(server, index)
    if (command !== undefined) return command
  }
  return undefined
}

/** Nobody has applied the index. */
export function checkNotApplied(lab: LabCluster, index: number, why: string): void {
  const command = commandAt(lab, index)
  if (command !== undefined)
    fail('commitNeedsMajority', `index ${String(index)} was applied (${show(command)}) ${why}`)
}

/** A command got the index that was next. */
export function checkIndex(index: number, expected: number): void {
  if (index !== expected)
    fail('indexesAreDense', `a command got index ${String(index)}, the next free one was ${String(expected)}`)
}

/** The leader takes the command. @returns where it stands */
export function mustStart(lab: LabCluster, server: number, command: LabCommand): Started {
  const started = lab.start(server, command)
  if (started === NotLeader) fail('leaderStays', `${nameOf(server)} led, and refused ${show(command)}`)
  return started
}

/**
 * Gets one command agreed: offers it to the connected servers in turn until one takes it, then waits.
 *
 * @param atLeast how many servers must have applied it
 * @param options.retry offer it again when it did not commit within 2 s; otherwise that fails the test
 * @returns its index
 */
export async function one(
  lab: LabCluster,
  command: LabCommand,
  atLeast: number,
  options: { readonly retry: boolean },
): Promise<number> {
  const end = lab.clock.now() + AGREEMENT_MS
  let next = 0
  while (lab.clock.now() < end) {
    const started = startSomewhere()
    if (started === NotLeader) {
      await lab.sleep(50)
      continue
    }
    if (await isApplied(lab, started.index, command, atLeast)) return started.index
    if (!options.retry)
      fail(
        'agreement',
        `${show(command)}, started at index ${String(started.index)}, was not applied by ${String(atLeast)} servers within 2 s`,
      )
  }
  return fail('agreement', `${show(command)} was not applied by ${String(atLeast)} servers within 10 s`)

  function startSomewhere(): Started | NotLeader {
    for (const _ of lab.servers) {
      next = lab.after(next, 1)
      const started = lab.isConnected(next) ? lab.start(next, command) : NotLeader
      if (started !== NotLeader) return started
    }
    return NotLeader
  }
}

async function isApplied(
  lab: LabCluster,
  index: number,
  command: LabCommand,
  atLeast: number,
): Promise<boolean> {
  const end = lab.clock.now() + COMMIT_MS
  while (lab.clock.now() < end) {
    if (countApplied(lab, index) >= atLeast && commandAt(lab, index) === command) return true
    await lab.sleep(POLL_MS)
  }
  return false
}

/**
 * Waits up to some 31 s until `atLeast` servers have applied the index.
 *
 * @param options.startTerm when given, a higher term somewhere ends the wait: the command may be lost
 * @returns the command, or null when the term moved on
 */
export async function wait(
  lab: LabCluster,
  index: number,
  atLeast: number,
  options: { readonly startTerm?: number } = {},
): Promise<LabCommand | null> {
  let pause = 10
  for (let look = 0; look < 30 && countApplied(lab, index) < atLeast; look++) {
    await lab.sleep(pause)
    if (pause < ELECTION_MS) pause *= 2
    const { startTerm } = options
    if (startTerm === undefined) continue
    if (lab.servers.some((server) => (lab.state(server)?.term ?? 0) > startTerm)) return null
  }
  const command = commandAt(lab, index)
  if (command === undefined || countApplied(lab, index) < atLeast)
    fail(
      'agreement',
      `only ${String(countApplied(lab, index))} of ${String(atLeast)} servers applied index ${String(index)}`,
    )
  return command
}

/** Every server applies 1 to `last`, and all of `commands` are there. */
export async function checkCommandsKept(
  lab: LabCluster,
  commands: readonly LabCommand[],
  last: number,
): Promise<void> {
  const kept = new Set<LabCommand | null>()
  for (let index = 1; index <= last; index++) kept.add(await wait(lab, index, lab.servers.length))
  for (const command of commands)
    if (!kept.has(command))
      fail('committedStays', `a client saw ${show(command)} applied, and now it is in no log`)
}

/** A number that no other draw of the run gives. */
export function randomCommand(lab: LabCluster): number {
  return lab.random.integer(0, 2 ** 21 - 1) * 2 ** 32 + lab.random.integer(0, 2 ** 32 - 1)
}

/** A random one of all servers. */
export function anyServer(lab: LabCluster): number {
  return lab.random.integer(0, lab.servers.length - 1)
}

function connectedOf(lab: LabCluster): number[] {
  return lab.servers.filter((server) => lab.isConnected(server))
}

function namesOf(servers: readonly number[]): string {
  return servers.map(nameOf).join(', ')
}
