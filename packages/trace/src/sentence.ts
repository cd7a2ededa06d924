/** An event as a sentence with its node as the subject, in the past tense. */
import type { TraceEvent } from '@lab/rpc'
import { describe, printable } from './describe.ts'
import { callOf } from './fields.ts'

/** @param sending of the message, when the event is about one and does not itself say what it held */
export function sentence(event: TraceEvent, sending?: TraceEvent): string {
  return printable(SENTENCES[event.k]?.(event, sending) ?? `at ${event.n || 'the world'}: ${describe(event)}`)
}

const SENTENCES: Partial<Record<string, (event: TraceEvent, sending?: TraceEvent) => string>> = {
  role: (event) => `${event.n} ${role(event)} in term ${show(event['term'])}${because(event)}`,
  refuse: (event) => `${event.n} refused ${refused(event)}${because(event)}`,
  send: (event) => `${event.n} sent ${show(event['type'])} to ${show(event['to'])}${content(event)}`,
  recv: (event, sending) =>
    `${event.n} received ${show(event['type'])} from ${show(event['from'])}${content(sending ?? event)}`,
  drop: (event, sending) =>
    `${show((sending ?? event)['type'])} from ${event.n} to ${show(event['to'])} was lost${because(event)}${content(sending ?? event)}`,
  config: ({ n, voters, index }) => `${n} went over to the voters ${show(voters)} with entry ${show(index)}`,
  append: ({ n, first, last, term }) =>
    `${n} appended ${entries(first, last)} of term ${show(term)} to its log`,
  truncate: (event) => `${event.n} removed its entries from ${show(event['from'])} on${because(event)}`,
  persist: ({ n, first, last, term, votedFor }) =>
    `${n} had ${last === 0 ? `term ${show(term)} and its vote${votedFor === '' ? '' : ` for ${show(votedFor)}`}` : entries(first, last)} on its disk`,
  commit: ({ n, index }) => `${n} learned that everything up to entry ${show(index)} is committed`,
  apply: ({ n, index, term, command }) =>
    `${n} applied entry ${show(index)}${term === undefined ? '' : ` of term ${show(term)}`}${command === undefined ? '' : `, ${show(command)},`} to its state`,
  snapshot: (event) =>
    event['installed'] === true
      ? `${event.n} installed a snapshot up to entry ${show(event['index'])}${because(event)}`
      : `${event.n} made a snapshot up to entry ${show(event['index'])}${because(event)}`,
  timer: ({ n }) => `the timer of ${n} rang`,
  start: ({ n, term, lastIndex }) =>
    `${n} started in term ${show(term)}${lastIndex === undefined ? '' : ` with a log up to entry ${show(lastIndex)}`}`,
  stop: (event) => `${event.n} stopped${because(event)}`,
  call: (event) => {
    const { n, op, client, index, term, key } = callOf(event)
    // Of a client that is a node of its own, as in a simulator, nobody is named whom it asks.
    if (typeof event['op'] === 'object')
      return `${n} wanted to ${show(op)}${key === undefined ? '' : ` ${show(key)}`}`
    return `${client === undefined || client === n ? 'a client' : show(client)} asked ${n} to ${show(op)}${index === undefined ? '' : `, which it put at index ${show(index)} in term ${show(term)}`}`
  },
  return: (event) =>
    `the client at ${event.n} was told: ${show(event['outcome'])}${event['index'] === undefined ? '' : `, entry ${show(event['index'])} of term ${show(event['term'])}`}${because(event)}`,
  invariant: (event) => `a rule was found broken, ${show(event['rule'])}${because(event)}`,
  stall: ({ n, millis }) => `${n} stood still for ${show(millis)} ms`,
}

function role({ role: name, leader, n }: TraceEvent): string {
  if (name === 'leader') return 'became leader'
  if (name === 'candidate') return 'began to campaign'
  return typeof leader === 'string' && leader !== '' && leader !== n
    ? `followed ${leader}`
    : 'became a follower'
}

function refused(event: TraceEvent): string {
  const { to, type } = event
  if (type === 'vote' || type === 'pre-vote') return `${show(to)} its ${type}`
  return to === event.n ? `to ${show(type)}` : `${show(type)} of ${show(to)}`
}

const CONTENT = [
  'term',
  'preVote',
  'lastLogIndex',
  'lastLogTerm',
  'voteGranted',
  'success',
  'prevLogIndex',
  'prevLogTerm',
  'entries',
  'first',
  'last',
  'leaderCommit',
  'matchIndex',
  'conflictIndex',
  'conflictTerm',
  'snapshot',
  'offset',
  'done',
]

/** What of a message people want to know; foreign Rafts may call it otherwise. */
function content(event: TraceEvent): string {
  const said = CONTENT.filter((key) => event[key] !== undefined && event[key] !== false)
  return said.length === 0
    ? ''
    : ` (${said.map((key) => (event[key] === true ? key : `${key} ${brief(event[key])}`)).join(', ')})`
}

function brief(value: unknown): string {
  return Array.isArray(value) ? String(value.length) : show(value)
}

function because({ why }: TraceEvent): string {
  return why === undefined || why === '' ? '' : `: ${why}`
}

function entries(first: unknown, last: unknown): string {
  return first === last ? `entry ${show(first)}` : `entries ${show(first)} to ${show(last)}`
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.map(show).join(', ')
  return typeof value === 'string' ? value : value === undefined ? '?' : JSON.stringify(value)
}
