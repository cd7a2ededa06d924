import type { Emit } from '../job.ts'

/** The key that `emit(key, value, start, end)` means. */
function sliced(key: unknown, start: number | undefined, end: number | undefined): unknown {
  return start !== undefined && key instanceof Uint8Array ? key.subarray(start, end) : key
}

/** An {@link Emit} of something that takes keys as they are. */
export function emitTo(take: (key: unknown, value: unknown) => void): Emit<unknown, unknown> {
  return (key, value, start, end) => {
    take(sliced(key, start, end), value)
  }
}
