/** Values on the command line and in the environment. Each refusal says what was given and what is accepted. */
import { CliError } from './errors.ts'

/** `n1=tcp://localhost:7001,n2=…` → id → address. */
export function parseMembers(text: string): Record<string, string> {
  const members: Record<string, string> = {}
  for (const part of splitList(text)) {
    const at = part.indexOf('=')
    const id = part.slice(0, at)
    if (at < 1 || at === part.length - 1)
      throw usage(`servers are named ID=ADDRESS,… such as n1=tcp://localhost:7001, not "${part}"`)
    if (Object.hasOwn(members, id)) throw usage(`--members names ${id} twice`)
    members[id] = part.slice(at + 1)
  }
  return members
}

/** `250ms`, `5s`, `2m`. A bare number is refused: other tools read it as seconds. @returns milliseconds */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text)
  const amount = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? NaN)
  if (!(amount > 0)) throw usage(`a time is written as 500ms, 5s or 2m, not "${text}"`)
  return amount
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

const COUNT_MAX = 1_000_000

/** A whole number from 1 to a million. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > COUNT_MAX)
    throw usage(`a whole number from 1 to ${COUNT_MAX} is wanted, not "${text}"`)
  return count
}

/** A number above 0, whole or not. */
export function parseAmount(text: string): number {
  const amount = Number(text)
  if (!(amount > 0 && amount < Infinity)) throw usage(`a number above 0 is wanted, not "${text}"`)
  return amount
}

/** A whole number ≥ 0, such as a version or a revision. */
export function parseNumber(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw usage(`a whole number from 0 on is wanted, not "${text}"`)
  return number
}

/** An environment variable that is on or off. */
export function readSwitch(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): boolean | undefined {
  const value = env[name]
  if (value === undefined || value === '') return undefined
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw usage(`${name} is true or false, not "${value}"`)
}

/** Parts between commas, without blanks. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

export function usage(message: string, options?: ErrorOptions): CliError {
  return new CliError('USAGE', message, options)
}
