/** An event in words, without its time and node. */
import type { TraceEvent } from '@lab/rpc'
import { describeShard } from './describe-shard.ts'
import { callOf } from './fields.ts'

/** One line for people. Control characters, which a file may hold and a terminal would obey, are replaced. */
export function describe(event: TraceEvent): string {
  return printable(WORDS[event.k]?.(event) ?? generic(event))
}

/** The text without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(CONTROL, '�')
}

const CONTROL = /\p{Cc}/gu
const COMMON_KEYS = new Set(['i', 't', 'n', 'g', 'k', 'm', 'c', 'why'])
/** Of messages: zeros, what is not so, and what only programs want to know. */
const DULL_KEYS = new Set(['round', 'bytes', 'transfer', 'crcs'])

const WORDS: Partial<Record<string, (event: TraceEvent) => string>> = {
  start: ({ term, lastIndex }) =>
    `starts: term ${show(term)}${lastIndex === undefined ? '' : `, log up to ${show(lastIndex)}`}`,
  stop: (event) => `stops${because(event)}`,
  role: (event) => `${role(event)}, term ${show(event['term'])}${because(event)}`,
  refuse: (event) => `refuses ${show(event['type'])} of ${show(event['to'])}${because(event)}`,
  send: (event) => `→ ${show(event['to'])} ${show(event['type'])}${fields(event, 'to', 'type')}`,
  recv: (event) => `← ${show(event['from'])} ${show(event['type'])}${fields(event, 'from', 'type')}`,
  timer: () => 'timer',
  call: (event) => `call ${show(callOf(event)['op'])}${fields(callOf(event), 'op', 'client')}`,
  return: (event) => `return ${show(event['outcome'])}${fields(event, 'outcome', 'client')}${because(event)}`,
  drop: (event) => `✗ ${show(event['to'])} ${show(event['type'])}${because(event)}`,
  config: ({ voters, index }) => `its voters are ${list(voters)} as of index ${show(index)}`,
  append: ({ first, last, term }) => `appends ${range(first, last)}, term ${show(term)}`,
  truncate: (event) => `drops its log from ${show(event['from'])}${because(event)}`,
  persist: ({ first, last, bytes, micros }) =>
    `on disk ${range(first, last)}: ${show(bytes)} B in ${show(micros)} µs`,
  commit: ({ index }) => `commits up to ${show(index)}`,
  apply: ({ index }) => `applies ${show(index)}`,
  snapshot: (event) => `snapshot up to ${show(event['index'])}, ${show(event['bytes'])} B${because(event)}`,
  stall: ({ millis }) => `stood still for ${show(millis)} ms`,
  fault: (event) => `${show(event['what'])}${because(event)}`,
  invariant: (event) => `VIOLATED: ${show(event['rule'])}${because(event)}`,
  shard: describeShard,
  task: (event) => `${taskOf(event)} ${show(event['to'])}${attemptOf(event)}${because(event)}`,
  note: ({ topic, text }) => `${show(topic)}: ${show(text)}`,
}

/** `map 3`: a task of MapReduce. */
export function taskOf({ kind, task }: TraceEvent): string {
  return `${show(kind)} ${show(task)}`
}

/** Of what is about the task itself, nothing. */
function attemptOf({ attempt, worker }: TraceEvent): string {
  return attempt === 0 ? '' : `, attempt ${show(attempt)} on ${show(worker)}`
}

function list(value: unknown): string {
  return Array.isArray(value) ? value.map(show).join(', ') : show(value)
}

function role({ role, leader }: TraceEvent): string {
  return role === 'follower' && typeof leader === 'string' && leader !== ''
    ? `follower of ${leader}`
    : show(role)
}

function because({ why }: TraceEvent): string {
  return why === undefined || why === '' ? '' : `: ${why}`
}

function range(first: unknown, last: unknown): string {
  return first === last ? show(first) : `${show(first)}–${show(last)}`
}

function generic(event: TraceEvent): string {
  return `${event.k}${fields(event)}${because(event)}`
}

function fields(event: TraceEvent, ...shown: readonly string[]): string {
  return Object.entries(event)
    .filter(([key, value]) => !COMMON_KEYS.has(key) && !shown.includes(key) && !isDull(key, value))
    .map(([key, value]) => ` ${key}=${show(value)}`)
    .join('')
}

function isDull(key: string, value: unknown): boolean {
  return (
    DULL_KEYS.has(key) ||
    value === false ||
    value === undefined ||
    (Array.isArray(value) && value.length === 0)
  )
}

function show(value: unknown): string {
  if (value === undefined) return '?'
  if (typeof value === 'number') return String(Math.round(value * 10) / 10)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
