/**
 * The search of Wing and Gong, as Lowe made it fast: takes operations one after the other in every order that their times
 * allow, goes back when the model says no, and never tries the same operations in the same state twice. Operations of unknown
 * outcome are tried after all others: most of them need not have happened, and every order of them is another state.
 *
 * G. Lowe, "Testing for linearizability", 2017; the list that entries are lifted from is that of Porcupine.
 */
import type { Operation } from '../history/operation.ts'
import { Bits } from './bits.ts'
import type { Model } from './model.ts'

/** A call or a return in the list of what happened, in the order of time. */
interface Event {
  /** Which operation. */
  readonly at: number
  /** Of a call, its return; null for a return. */
  readonly match: Event | null
  previous: Event | null
  next: Event | null
}

/** What was tried: by the hash of the operations taken, then by the state reached, those operations. */
type Tried = Map<number, Map<string, Int32Array[]>>

export type Verdict = 'yes' | 'no' | 'unknown'

export interface Searched {
  readonly verdict: Verdict
  /** Steps of the model that it took. */
  readonly steps: number
}

/** @param budget steps of the model before it gives up with `unknown` */
export function search<S, O, R>(
  model: Model<S, O, R>,
  operations: readonly Operation<O, R>[],
  budget: number,
): Searched {
  const stateKeyOf = (state: S): string => model.stateKey?.(state) ?? JSON.stringify(state)
  const head = listOf(operations)
  const taken = new Bits(operations.length)
  const tried: Tried = new Map()
  const stack: { readonly call: Event; readonly state: S }[] = []
  let state = model.init()
  let steps = 0
  let event = head.next
  let areUnknown = false
  while (head.next !== null) {
    if (event === null) return { verdict: 'yes', steps } // Only calls without a return are left: they may never have happened.
    if (event.match !== null) {
      if (isUnknown(event) !== areUnknown) {
        event = event.next
        continue
      }
      if (++steps > budget) return { verdict: 'unknown', steps }
      const { op, result } = operations[event.at] as Operation<O, R>
      const next = model.step(state, op, result)
      if (next !== null) {
        taken.flip(event.at)
        if (isNew(tried, taken, stateKeyOf(next.state))) {
          stack.push({ call: event, state })
          state = next.state
          lift(event)
          event = head.next
          areUnknown = false
          continue
        }
        taken.flip(event.at)
      }
      event = event.next
      continue
    }
    // A return whose call has not been taken: an operation of unknown outcome took effect before it,
    if (!areUnknown) {
      areUnknown = true
      event = head.next
      continue
    }
    // or one of those taken before was a wrong choice.
    const last = stack.pop()
    if (last === undefined) return { verdict: 'no', steps }
    state = last.state
    taken.flip(last.call.at)
    areUnknown = isUnknown(last.call)
    unlift(last.call)
    event = last.call.next
  }
  return { verdict: 'yes', steps }
}

function isNew(tried: Tried, taken: Bits, stateKey: string): boolean {
  let states = tried.get(taken.hash)
  if (states === undefined) tried.set(taken.hash, (states = new Map<string, Int32Array[]>()))
  const known = states.get(stateKey)
  if (known === undefined) {
    states.set(stateKey, [taken.copy()])
    return true
  }
  if (known.some((one) => taken.equals(one))) return false
  known.push(taken.copy())
  return true
}

/** Calls and returns in the order of time. An operation of unknown outcome has no return in it. @returns what stands before the first */
function listOf<O, R>(operations: readonly Operation<O, R>[]): Event {
  const timed: { readonly time: number; readonly isCall: boolean; readonly event: Event }[] = []
  operations.forEach((operation, at) => {
    const end: Event = { at, match: null, previous: null, next: null }
    timed.push({ time: operation.call, isCall: true, event: { at, match: end, previous: null, next: null } })
    if (operation.return !== Infinity) timed.push({ time: operation.return, isCall: false, event: end })
  })
  // At one moment calls come first: nothing says that the other had returned before.
  timed.sort((a, b) => a.time - b.time || Number(b.isCall) - Number(a.isCall))
  const head: Event = { at: -1, match: null, previous: null, next: null }
  let last = head
  for (const { event } of timed) {
    last.next = event
    event.previous = last
    last = event
  }
  return head
}

function lift(call: Event): void {
  unlink(call)
  if (isLinked(call.match)) unlink(call.match)
}

function unlift(call: Event): void {
  if (isLinked(call.match)) relink(call.match)
  relink(call)
}

/** Nobody knows whether it happened. */
function isUnknown(call: Event): boolean {
  return !isLinked(call.match)
}

/** A return of an operation of unknown outcome is in no list. */
function isLinked(event: Event | null): event is Event {
  return event !== null && event.previous !== null
}

function unlink({ previous, next }: Event): void {
  if (previous !== null) previous.next = next
  if (next !== null) next.previous = previous
}

function relink(event: Event): void {
  if (event.previous !== null) event.previous.next = event
  if (event.next !== null) event.next.previous = event
}
