/** What the page draws, worked out once from the events: lanes with roles and gaps, messages from end to end, bands of partition. */
import type { TraceEvent } from '@lab/rpc'
import { textOf } from '../fields.ts'
import { Heartbeats } from '../filter/heartbeats.ts'
import { Lanes, type LanePlace } from './lanes.ts'

export interface Lane extends LanePlace {
  readonly roles: Stretch[]
  /** While it was down. */
  readonly gaps: Stretch[]
  /** While it was cut off. */
  readonly cuts: Stretch[]
}

/** From `start` to `end`, in µs; `end` is Infinity while nothing ended it. */
export interface Stretch {
  readonly start: number
  end: number
  /** Role and term, or nothing. */
  readonly role: string
  readonly term: number
}

/** A message from one lane to another. */
export interface Arrow {
  readonly send: TraceEvent
  /** Its arrival or its loss; undefined when neither is told. */
  end: TraceEvent | undefined
  readonly from: number
  readonly to: number
  readonly isHeartbeat: boolean
}

export interface Model {
  readonly events: readonly TraceEvent[]
  readonly lanes: readonly Lane[]
  /** Where an event is drawn; undefined when it is nobody's. */
  readonly laneOf: (event: TraceEvent) => number | undefined
  readonly arrows: readonly Arrow[]
  /** Partitions of the whole network. */
  readonly bands: readonly Stretch[]
  readonly start: number
  readonly end: number
}

export function buildModel(events: readonly TraceEvent[], nodes: readonly string[]): Model {
  const places = new Lanes(events, nodes)
  const lanes = places.places.map((place): Lane => ({ ...place, roles: [], gaps: [], cuts: [] }))
  const bands: Stretch[] = []
  for (const event of events) {
    for (const at of places.concernedBy(event)) follow(lanes[at], event)
    if (event.k === 'fault') partition(bands, event)
  }
  // A process of many groups has no role: each of its replicas has its own.
  if (lanes.some(({ group }) => group !== undefined))
    for (const lane of lanes) if (lane.group === undefined) lane.roles.length = 0
  const [first] = events
  return {
    ...{ events, lanes, bands, arrows: arrowsOf(events, places) },
    laneOf: (event) => places.of(event),
    start: first?.t ?? 0,
    end: Math.max(events.at(-1)?.t ?? 1, (first?.t ?? 0) + 1),
  }
}

function follow(lane: Lane | undefined, event: TraceEvent): void {
  if (lane === undefined) return
  const { k, t } = event
  const what = event['what']
  if (k === 'stop' || (k === 'fault' && what === 'crash')) {
    close(lane.roles, t)
    if (lane.gaps.at(-1)?.end !== Infinity) open(lane.gaps, event)
  } else if (k === 'start') {
    close(lane.gaps, t)
    close(lane.roles, t)
    open(lane.roles, event, 'follower')
  } else if (k === 'role') {
    close(lane.roles, t)
    open(lane.roles, event, textOf(event, 'role') ?? '')
  } else if (k === 'fault' && what === 'disconnect') open(lane.cuts, event)
  else if (k === 'fault' && what === 'connect') close(lane.cuts, t)
}

function partition(bands: Stretch[], event: TraceEvent): void {
  const what = event['what']
  if (what === 'heal') close(bands, event.t)
  else if ((what === 'partition' || what === 'isolate') && bands.at(-1)?.end !== Infinity) open(bands, event)
}

function open(stretches: Stretch[], event: TraceEvent, role = ''): void {
  const term = event['term']
  stretches.push({ start: event.t, end: Infinity, role, term: typeof term === 'number' ? term : 0 })
}

function close(stretches: Stretch[], end: number): void {
  const last = stretches.at(-1)
  if (last?.end === Infinity) last.end = end
}

function arrowsOf(events: readonly TraceEvent[], lanes: Lanes): Arrow[] {
  const arrows: Arrow[] = []
  const open = new Map<string, Arrow>()
  const heartbeats = new Heartbeats()
  for (const event of events) {
    const { k, m } = event
    const isHeartbeat = heartbeats.isHeartbeat(event)
    if (m === undefined) continue
    if (k === 'send') {
      const from = lanes.of(event)
      const to = lanes.ofNode(textOf(event, 'to') ?? '')
      if (from === undefined || to === undefined) continue
      const arrow = { send: event, end: undefined, from, to, isHeartbeat }
      arrows.push(arrow)
      open.set(m, arrow)
    } else if (k === 'recv' || k === 'drop') {
      const arrow = open.get(m)
      if (arrow !== undefined) arrow.end ??= event
    }
  }
  return arrows
}
