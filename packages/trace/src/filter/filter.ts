/**
 * Which events to look at, in one small language for the command line and the page:
 *
 *     term>=4 node=2,3 type=AppendEntries client=c1 key=x -heartbeat after:"crash 1" within:50ms
 */
import type { TimedEvent } from '../parse.ts'
import { FilterError } from './error.ts'
import { Heartbeats } from './heartbeats.ts'
import { matchesField, matchesText } from './match.ts'
import { Moments } from './moments.ts'
import { parseWords, type Moment, type Value, type Word } from './parse.ts'

/** Shows one event; every event of a story must be shown, in order. @returns whether it is wanted */
export type Watch = (timed: TimedEvent) => boolean

const NUMERIC = ['>=', '<=', '>', '<']
const UNITS: Readonly<Record<string, number>> = { us: 1, µs: 1, ms: 1000, s: 1_000_000, m: 60_000_000 }

/**
 * @returns a new watch for each story
 * @throws {FilterError} when the text makes no sense; the message shows where
 */
export function parseFilter(text: string): () => Watch {
  const words = parseWords(text)
  checkNumbers(text, words)
  const after = momentOf(text, words, 'after')
  const before = momentOf(text, words, 'before')
  const within = momentOf(text, words, 'within')
  const withinMicros = within === undefined ? Infinity : microsOf(text, within)
  return () => {
    const heartbeats = new Heartbeats()
    const from = after === undefined ? null : new Moments(after.text)
    const until = before === undefined ? null : new Moments(before.text)
    let began: number | null = null
    let ended = false
    return (timed) => {
      const isHeartbeat = heartbeats.isHeartbeat(timed.event)
      if (began === null && (from === null || from.isIt(timed))) began = timed.time
      if (until?.isIt(timed) === true) ended = true
      if (began === null || ended || timed.time - began > withinMicros) return false
      return words.every((word) => holds(word, timed, isHeartbeat))
    }
  }
}

function holds(word: Word, { event }: TimedEvent, isHeartbeat: boolean): boolean {
  switch (word.type) {
    case 'moment':
      return true
    case 'field':
      return matchesField(event, word.field, word.operator, word.values) !== word.not
    case 'text': {
      const { text } = word.value
      return (text === 'heartbeat' ? isHeartbeat : matchesText(event, text)) !== word.not
    }
  }
}

function checkNumbers(text: string, words: readonly Word[]): void {
  for (const word of words) {
    if (word.type !== 'field' || !NUMERIC.includes(word.operator)) continue
    const wrong = word.values.find((value) => !Number.isFinite(Number(value.text)))
    if (wrong !== undefined)
      throw new FilterError(text, wrong.position, `${word.field}${word.operator} takes a number`)
  }
}

function momentOf(text: string, words: readonly Word[], moment: Moment): Value | undefined {
  const found = words.flatMap((word) =>
    word.type === 'moment' && word.moment === moment ? [word.value] : [],
  )
  const second = found[1]
  if (second !== undefined)
    throw new FilterError(text, second.position, `${moment}: stands here a second time`)
  return found[0]
}

function microsOf(text: string, { text: duration, position }: Value): number {
  const parts = /^(\d+(?:\.\d+)?)(us|µs|ms|s|m)$/.exec(duration)
  if (parts === null) throw new FilterError(text, position, 'a time is written as 50ms, 2s or 1m')
  return Number(parts[1]) * (UNITS[parts[2] ?? ''] ?? NaN)
}
