/** One word of a filter against one event. */
import type { TraceEvent } from '@lab/rpc'
import { describe } from '../describe.ts'
import { callOf, textsOf } from '../fields.ts'
import { messageKind } from '../messages.ts'
import { topicOf } from '../topics.ts'
import type { Operator, Value } from './parse.ts'

/** Names that people use for the fields that stand in every event. */
const SHORT: Readonly<Record<string, string>> = {
  node: 'n',
  kind: 'k',
  group: 'g',
  event: 'i',
  message: 'm',
  cause: 'c',
}

/** Does the event's field stand in this relation to one of the values? `!=`: to none of them. */
export function matchesField(
  event: TraceEvent,
  field: string,
  operator: Operator,
  values: readonly Value[],
): boolean {
  const has = valuesOf(event, field)
  if (operator === '!=') return !values.some(({ text }) => has.some((value) => equal(value, text)))
  return values.some(
    ({ text }) => has.some((value) => compare(value, operator, text)) || spans(event, field, operator, text),
  )
}

/** A kind, a topic, a message's type, or text that stands in the event's words. */
export function matchesText(event: TraceEvent, text: string): boolean {
  const wanted = text.toLowerCase()
  if (event.k === wanted || topicOf(event) === wanted) return true
  if (messageKind(event).name === wanted) return true
  return `${event.n} ${describe(event)}`.toLowerCase().includes(wanted)
}

function valuesOf(event: TraceEvent, field: string): readonly unknown[] {
  if (field === 'topic') return [topicOf(event)]
  if (field === 'node') return [event.n, ...both(event)]
  const value = callOf(event)[SHORT[field] ?? field]
  return Array.isArray(value)
    ? (textsOf(event, SHORT[field] ?? field) ?? [])
    : value === undefined
      ? []
      : [value]
}

/** A message that is lost happens at its sender: its receiver misses it too. */
function both(event: TraceEvent): readonly unknown[] {
  return event.k === 'drop' ? [event['to']] : []
}

/** `index=7` means also events of several entries, such as an append of 5 to 9. */
function spans(event: TraceEvent, field: string, operator: Operator, text: string): boolean {
  const { first, last } = event
  if (field !== 'index' || typeof first !== 'number' || typeof last !== 'number' || first === 0) return false
  return operator === '='
    ? first <= Number(text) && Number(text) <= last
    : compare(first, operator, text) || compare(last, operator, text)
}

function compare(value: unknown, operator: Operator, text: string): boolean {
  switch (operator) {
    case '=':
      return equal(value, text)
    case '!=':
      return !equal(value, text)
    case '~':
      return show(value).toLowerCase().includes(text.toLowerCase())
    case '>=':
      return typeof value === 'number' && value >= Number(text)
    case '<=':
      return typeof value === 'number' && value <= Number(text)
    case '>':
      return typeof value === 'number' && value > Number(text)
    case '<':
      return typeof value === 'number' && value < Number(text)
  }
}

function equal(value: unknown, text: string): boolean {
  const shown = show(value)
  return shown === text || shown.toLowerCase() === text.toLowerCase()
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
