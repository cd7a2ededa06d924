/** What a value of the cluster file may be. Each reader returns it with its type, or refuses it with what was given. */
import { parseAddress, toError } from '@lab/rpc'
import { usage } from '../parse.ts'

/** @param at where it stands, such as `nodes.n1` @throws {CliError} `USAGE` */
export type Reader<T> = (value: unknown, at: string) => T

const ID = /^[A-Za-z0-9._-]{1,64}$/
const SCHEMES = ['tcp', 'tls', 'ws', 'wss']

export const text: Reader<string> = (value, at) =>
  typeof value === 'string' && value !== '' ? value : refuse(value, at, 'must be a text')

export const flag: Reader<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : refuse(value, at, 'must be true or false')

/** Of a node or a cluster. */
export const name: Reader<string> = (value, at) =>
  typeof value === 'string' && ID.test(value)
    ? value
    : refuse(value, at, "must be 1 to 64 of letters, digits, '.', '_', '-'")

/** Without a scheme it is TCP. */
export const address: Reader<string> = (value, at) => {
  const given = text(value, at)
  const complete = given.includes('://') ? given : `tcp://${given}`
  try {
    const { scheme, port } = parseAddress(complete)
    const needsPort = scheme === 'tcp' || scheme === 'tls'
    if (SCHEMES.includes(scheme) && (port !== undefined || !needsPort)) return given
  } catch (thrown) {
    throw usage(`${at}: ${toError(thrown).message}`, { cause: thrown })
  }
  return refuse(value, at, `must be an address such as tcp://10.0.0.1:7000 (${SCHEMES.join(', ')})`)
}

/** One address, or a list of them. */
export const addresses: Reader<readonly string[]> = (value, at) =>
  Array.isArray(value) ? list(address)(value, at) : [address(value, at)]

export function wholeNumber(min: number, max: number): Reader<number> {
  return (value, at) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : refuse(value, at, `must be a whole number from ${min} to ${max}`)
}

export function oneOf<T extends string>(choices: readonly T[]): Reader<T> {
  return (value, at) =>
    choices.find((choice) => choice === value) ?? refuse(value, at, `must be one of ${choices.join(', ')}`)
}

/** At least one, none twice. */
export function list<T>(each: Reader<T>): Reader<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length === 0)
      return refuse(value, at, 'must be a list of at least one')
    const read = value.map((item: unknown, i) => each(item, `${at}[${i}]`))
    const twice = read.find((item, i) => read.indexOf(item) !== i)
    return twice === undefined ? read : refuse(twice, at, 'is there twice')
  }
}

/** Names and their values. */
export function mapOf<T>(key: Reader<string>, each: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, at) =>
    Object.fromEntries(
      Object.entries(objectOf(value, at)).map(([found, item]) => [
        key(found, `a name in ${at}`),
        each(item, `${at}.${found}`),
      ]),
    )
}

export type Readers<T> = { readonly [K in keyof T]-?: Reader<NonNullable<T[K]>> }

/** An object of known keys, each of which may be missing; an unknown one may be a mistyped one. */
export function record<T extends object>(readers: Readers<T>): Reader<T> {
  const known = Object.entries<Reader<unknown>>(readers)
  return (value, at) => {
    const given = objectOf(value, at)
    const strange = Object.keys(given).filter((key) => !known.some(([name]) => name === key))
    if (strange.length > 0)
      throw usage(
        `${at}: unknown ${strange.join(', ')}; there may be ${known.map(([key]) => key).join(', ')}`,
      )
    const read = known
      .filter(([key]) => given[key] !== undefined)
      .map(([key, reader]) => [key, reader(given[key], `${at}: ${key}`)] as const)
    return Object.fromEntries(read) as T
  }
}

function objectOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  return refuse(value, at, 'must be an object { … }')
}

function refuse(value: unknown, at: string, why: string): never {
  throw usage(`${at} ${why}, not ${JSON.stringify(value)}`)
}
