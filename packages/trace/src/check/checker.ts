/**
 * Every rule of Raft that a trace can show broken, over events as they come: the simulator and tests feed it while they run,
 * `lab trace check` and the viewer afterwards. An event costs about as much as the entries that it names.
 */
import type { TraceEvent, TraceKind } from '@lab/rpc'
import { textOf } from '../fields.ts'
import { acknowledgedStays } from './acknowledged.ts'
import { applyCommitted, applyInOrder, snapshotIsCommitted } from './apply.ts'
import { commitNeedsMajority, commitOnlyGrows, commitOwnTerm } from './commit.ts'
import { electionSafety } from './election-safety.ts'
import { leaderAppendOnly } from './leader-append-only.ts'
import { leaderCompleteness } from './leader-completeness.ts'
import { logMatching } from './log-matching.ts'
import type { Look, Property } from './property.ts'
import { rules, type RuleName } from './rules.ts'
import { shardProperties } from './shards/shard-rules.ts'
import { ShardWorld } from './shards/shard-world.ts'
import { stateMachineSafety } from './state-machine-safety.ts'
import { termsOnlyGrow } from './terms-only-grow.ts'
import { voteOnce } from './vote-once.ts'
import { World } from './world.ts'

/** A rule that an event broke. */
export interface Violation {
  readonly rule: RuleName
  /** The rule in plain words, and where the paper states it. */
  readonly text: string
  readonly section: string
  /** What was seen, with servers and numbers. */
  readonly seen: string
  readonly event: TraceEvent
}

const properties: readonly Property[] = [
  ...[electionSafety, voteOnce, termsOnlyGrow, leaderAppendOnly, logMatching],
  ...[stateMachineSafety, leaderCompleteness, commitOnlyGrows, commitOwnTerm, commitNeedsMajority],
  ...[applyInOrder, applyCommitted, snapshotIsCommitted, acknowledgedStays],
]

interface Group {
  readonly world: World
  /** By kind of event. */
  readonly looks: ReadonlyMap<TraceKind, readonly Looking[]>
}

interface Looking {
  readonly rule: RuleName
  readonly look: Look
}

const NONE: readonly Violation[] = []

export class TraceChecker {
  readonly #groups = new Map<number, Group>()
  /** Shards go from group to group. */
  readonly #shards = new ShardWorld()

  /** @returns the rules that this event breaks: nearly always none. After the first, later ones may only follow from it. */
  feed(event: TraceEvent): readonly Violation[] {
    if (event.k === 'invariant')
      return [violation('saidByItself', textOf(event, 'why') ?? textOf(event, 'rule') ?? '', event)]
    if (event.k === 'shard') return this.#shard(event)
    if (event.k === 'fault') for (const group of this.#groups.values()) feedGroup(group, event)
    return event.k === 'fault' ? NONE : feedGroup(this.#group(event.g ?? 0), event)
  }

  #shard(event: TraceEvent): readonly Violation[] {
    const found: Violation[] = []
    for (const { rule, look } of shardProperties) {
      const seen = look(event, this.#shards)
      if (seen !== null) found.push(violation(rule, seen, event))
    }
    this.#shards.update(event)
    return found
  }

  #group(number: number): Group {
    let group = this.#groups.get(number)
    if (group === undefined) {
      group = { world: new World(), looks: looksByKind() }
      this.#groups.set(number, group)
    }
    return group
  }
}

function looksByKind(): Map<TraceKind, Looking[]> {
  const looks = new Map<TraceKind, Looking[]>()
  for (const { rule, kinds, watch } of properties) {
    const looking = { rule, look: watch() }
    for (const kind of kinds) looks.set(kind, [...(looks.get(kind) ?? []), looking])
  }
  return looks
}

function feedGroup({ world, looks }: Group, event: TraceEvent): readonly Violation[] {
  const server = world.server(event.n)
  const looking = looks.get(event.k)
  let found: Violation[] | null = null
  if (looking !== undefined)
    for (const { rule, look } of looking) {
      const seen = look(event, server, world)
      if (seen !== null) (found ??= []).push(violation(rule, seen, event))
    }
  world.update(event, server)
  return found ?? NONE
}

function violation(rule: RuleName, seen: string, event: TraceEvent): Violation {
  const { rule: text, section } = rules[rule]
  return { rule, text, section, seen, event }
}

/** A violation as people read it: what, the rule, where it stands. */
export function formatViolation({ event, seen, text, section }: Violation): string {
  return `event ${String(event.i)}: ${seen}\n  the rule: ${text} (${section})`
}
