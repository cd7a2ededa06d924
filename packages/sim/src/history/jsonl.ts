/**
 * Histories as JSON lines, from any program in any language:
 *
 *     {"v":1,"model":"kv"}                                             a header; may be left out
 *     {"type":"invoke","t":0.5,"client":"c1","id":1,"op":{"op":"put","key":"x","value":"1"}}
 *     {"type":"ok","t":2.1,"id":1,"result":null}                       or "fail", or "unknown"; none at all is unknown too
 *
 * `id` joins the two lines of a call; `t` is any clock that all clients share, and may be left out: then the order of the lines
 * counts.
 */
import type { Operation, Outcome } from './operation.ts'

/** A line of a history does not make sense. `message` says which line and why. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError'
  readonly code = 'BAD_HISTORY'
}

export interface ParsedHistory {
  /** The model that the header names. */
  readonly model: string | undefined
  readonly operations: readonly Operation[]
}

type Line = Readonly<Record<string, unknown>>

const ENDS: readonly string[] = ['ok', 'fail', 'unknown'] satisfies Outcome[]

/** @throws {HistoryError} with the number of the line */
export function parseHistory(text: string): ParsedHistory {
  const reader = new HistoryReader()
  text.split('\n').forEach((line, at) => {
    if (line.trim() !== '') reader.read(line, at + 1)
  })
  return { model: reader.model, operations: reader.operations }
}

/** The lines of a history, each ended by a newline. @param header `what` and the like, for people */
export function formatHistory(
  operations: readonly Operation[],
  header: Readonly<Record<string, unknown>> & { readonly model: string },
): string {
  const lines: { readonly t: number; readonly order: number; readonly line: object }[] = []
  for (const { id, client, op, call, return: end, outcome, result } of operations) {
    lines.push({ t: call, order: 0, line: { type: 'invoke', t: call, client, id, op } })
    if (outcome !== 'unknown')
      lines.push({ t: end, order: 1, line: { type: outcome, t: end, client, id, result } })
  }
  lines.sort((a, b) => a.t - b.t || a.order - b.order)
  return [{ v: 1, ...header }, ...lines.map(({ line }) => line)]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('')
}

class HistoryReader {
  model: string | undefined
  readonly operations: Operation[] = []
  /** Where in `operations` the call of each id stands. */
  readonly #calls = new Map<unknown, number>()
  #number = 0

  read(text: string, number: number): void {
    this.#number = number
    const line = this.#parse(text)
    const { type } = line
    if (type === 'invoke') this.#invoke(line)
    else if (typeof type === 'string' && ENDS.includes(type)) this.#end(line, type as Outcome)
    else if (type === undefined && 'v' in line) this.#header(line)
    else this.#refuse(`"type" is invoke, ok, fail or unknown, not ${JSON.stringify(type)}`)
  }

  #parse(text: string): Line {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      this.#refuse('it is no JSON')
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.#refuse('it is no object')
    return value as Line
  }

  #header({ v, model }: Line): void {
    if (v !== 1) this.#refuse(`it is of version ${JSON.stringify(v)}; version 1 is understood`)
    if (typeof model === 'string') this.model = model
  }

  #invoke(line: Line): void {
    const { id, op, client = '' } = line
    if (id === undefined) this.#refuse('an invoke needs an "id" that its end repeats')
    if (this.#calls.has(id)) this.#refuse(`the id ${JSON.stringify(id)} is used by an earlier call`)
    if (op === undefined) this.#refuse('an invoke needs an "op"')
    this.#calls.set(id, this.operations.length)
    this.operations.push({
      id: this.operations.length + 1,
      client: String(client),
      op,
      call: this.#time(line),
      return: Infinity,
      outcome: 'unknown',
      result: undefined,
    })
  }

  #end(line: Line, outcome: Outcome): void {
    const at = this.#calls.get(line['id'])
    const call = this.operations[at ?? -1]
    if (at === undefined || call === undefined)
      this.#refuse(`there is no call of id ${JSON.stringify(line['id'])} before it`)
    if (call.outcome !== 'unknown' || call.return !== Infinity) this.#refuse('that call has ended before')
    const time = this.#time(line)
    if (time < call.call) this.#refuse(`it ends at ${String(time)}, before it began at ${String(call.call)}`)
    const isUnknown = outcome === 'unknown'
    const result = outcome === 'ok' ? (line['result'] ?? null) : undefined
    this.operations[at] = { ...call, outcome, result, return: isUnknown ? Infinity : time }
  }

  #time({ t = this.#number }: Line): number {
    if (typeof t !== 'number' || !Number.isFinite(t))
      this.#refuse(`"t" is a number, not ${JSON.stringify(t)}`)
    return t
  }

  #refuse(why: string): never {
    throw new HistoryError(`line ${String(this.#number)}: ${why}`)
  }
}
