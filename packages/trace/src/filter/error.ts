/** A filter that makes no sense. `message` shows where. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  readonly code = 'BAD_FILTER' as const
  /** Of the first character that is wrong, from 0. */
  readonly position: number

  constructor(text: string, position: number, what: string) {
    super(`${what}\n  ${text}\n  ${' '.repeat(position)}^`)
    this.position = position
  }
}
