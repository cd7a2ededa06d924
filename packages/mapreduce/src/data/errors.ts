/** What goes wrong with records and spills. `code` is stable API; `message` is for people. */
export class DataError extends Error {
  override readonly name = 'DataError'
  readonly code:
    /** Bytes of the input are no record of its format; the message has file and byte. */
    | 'BAD_RECORD'
    /** A record of the input, or a pair, is larger than this package takes. */
    | 'TOO_LARGE'
    /** A key that its codec cannot keep: NaN, another type. */
    | 'BAD_KEY'
    /** A value that its codec cannot keep; the message has the path to it. */
    | 'BAD_VALUE'
    /** Text with half a surrogate pair, which UTF-8 has no bytes for. */
    | 'BAD_TEXT'
    /** A partition that is no integer from 0 to partitions - 1. */
    | 'BAD_PARTITION'
    /** A spilled block is not what was written: its map task must run again (MapReduce §3.3.1). */
    | 'SPILL_CORRUPT'
  /** The file that is damaged, with `SPILL_CORRUPT`. */
  readonly path: string | undefined
  constructor(code: DataError['code'], message: string, options?: ErrorOptions & { readonly path?: string }) {
    super(message, options)
    this.code = code
    this.path = options?.path
  }
}
