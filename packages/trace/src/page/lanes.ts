/**
 * Which lanes there are. One for each node; where nodes have replicas of several groups, one for each node and what it does as a whole,
 * then group by group one for each of its replicas.
 */
import type { TraceEvent } from '@lab/rpc'

export interface LanePlace {
  readonly node: string
  /** Undefined: of the node as a whole. */
  readonly group: number | undefined
}

export class Lanes {
  readonly places: readonly LanePlace[]
  readonly #at: ReadonlyMap<string, number>
  readonly #ofNode = new Map<string, number[]>()

  /** @param nodes in this order; empty: those of the events, by name */
  constructor(events: readonly TraceEvent[], nodes: readonly string[]) {
    const names =
      nodes.length > 0 ? nodes : [...new Set(events.map(({ n }) => n))].filter((n) => n !== '').sort()
    const used = new Set(events.map(({ n, g }) => keyOf(n, g)))
    const groups = [...new Set(events.flatMap(({ g }) => g ?? []))].sort((a, b) => a - b)
    const placed = [undefined, ...groups].flatMap((group) =>
      names.map((node): LanePlace => ({ node, group })),
    )
    // Without groups every node has its lane, also one of which nothing is told.
    this.places =
      groups.length === 0 ? placed : placed.filter(({ node, group }) => used.has(keyOf(node, group)))
    this.#at = new Map(this.places.map(({ node, group }, at) => [keyOf(node, group), at]))
    this.places.forEach(({ node }, at) => this.#ofNode.set(node, [...(this.#ofNode.get(node) ?? []), at]))
  }

  /** Where an event is drawn; undefined when it is nobody's. */
  of({ n, g }: TraceEvent): number | undefined {
    return this.#at.get(keyOf(n, g))
  }

  /** Whom an event concerns: what befalls a node as a whole befalls all its replicas. */
  concernedBy(event: TraceEvent): readonly number[] {
    if (event.g === undefined) return this.#ofNode.get(event.n) ?? []
    const lane = this.of(event)
    return lane === undefined ? [] : [lane]
  }

  /** Of the node as a whole; where it has none, its only one. */
  ofNode(node: string): number | undefined {
    return this.#at.get(keyOf(node, undefined)) ?? this.#ofNode.get(node)?.[0]
  }
}

function keyOf(node: string, group: number | undefined): string {
  return `${group ?? ''} ${node}`
}
