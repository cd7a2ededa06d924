/**
 * The filter language: words that must all hold.
 *
 *     filter = { ["-"] ( field operator value { "," value } | moment ":" value | value ) }
 *     operator = "=" | "!=" | ">=" | "<=" | ">" | "<" | "~"
 *     moment = "after" | "before" | "within"
 *     value = characters without blank, comma and quote, or anything between double quotes
 */
import { FilterError } from './error.ts'

export const OPERATORS = ['!=', '>=', '<=', '=', '>', '<', '~'] as const
export type Operator = (typeof OPERATORS)[number]

export interface Value {
  readonly text: string
  readonly position: number
}

export type Word =
  | {
      readonly type: 'field'
      readonly not: boolean
      readonly field: string
      readonly operator: Operator
      readonly values: readonly Value[]
    }
  | { readonly type: 'moment'; readonly moment: Moment; readonly value: Value }
  | { readonly type: 'text'; readonly not: boolean; readonly value: Value }

const MOMENTS = ['after', 'before', 'within'] as const
export type Moment = (typeof MOMENTS)[number]

const FIELD = /[A-Za-z][A-Za-z0-9_.]*/y
const BARE = /[^\s,"]+/y
const BLANK = /\s*/y

/** @throws {FilterError} */
export function parseWords(text: string): Word[] {
  const words: Word[] = []
  let at = match(BLANK, text, 0).length
  while (at < text.length) {
    const { word, end } = parseWord(text, at)
    words.push(word)
    const blank = match(BLANK, text, end)
    if (blank === '' && end < text.length)
      throw new FilterError(text, end, 'a blank is wanted between two words')
    at = end + blank.length
  }
  return words
}

function parseWord(text: string, start: number): { readonly word: Word; readonly end: number } {
  const not = text[start] === '-'
  const at = not ? start + 1 : start
  const name = match(FIELD, text, at)
  const after = at + name.length
  const moment = MOMENTS.find((one) => one === name)
  if (moment !== undefined && text[after] === ':') {
    if (not) throw new FilterError(text, start, `${moment}: cannot be negated`)
    const { value, end } = parseValue(text, after + 1)
    return { word: { type: 'moment', moment, value }, end }
  }
  if (name !== '' && text[after] === ':')
    throw new FilterError(
      text,
      at,
      `"${name}:" is unknown: it is after:, before: or within:, and fields take =`,
    )
  const operator = name === '' ? undefined : OPERATORS.find((one) => text.startsWith(one, after))
  if (operator !== undefined) {
    const { values, end } = parseValues(text, after + operator.length)
    return { word: { type: 'field', not, field: name, operator, values }, end }
  }
  const { value, end } = parseValue(text, at)
  return { word: { type: 'text', not, value }, end }
}

function parseValues(
  text: string,
  start: number,
): { readonly values: readonly Value[]; readonly end: number } {
  const first = parseValue(text, start)
  const values = [first.value]
  let { end } = first
  while (text[end] === ',') {
    const next = parseValue(text, end + 1)
    values.push(next.value)
    end = next.end
  }
  return { values, end }
}

function parseValue(text: string, position: number): { readonly value: Value; readonly end: number } {
  if (text[position] === '"') {
    const close = text.indexOf('"', position + 1)
    if (close === -1) throw new FilterError(text, position, 'this quote is never closed')
    return { value: { text: text.slice(position + 1, close), position }, end: close + 1 }
  }
  const bare = match(BARE, text, position)
  if (bare === '') throw new FilterError(text, position, 'a value is missing here')
  return { value: { text: bare, position }, end: position + bare.length }
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}
