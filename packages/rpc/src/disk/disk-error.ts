import { DiskError } from '../disk.ts'
import { toError } from '../errors.ts'

const CODES: Readonly<Record<string, DiskError['code']>> = {
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
}

/** The system's error as ours. `action` and `path` go into the message. */
export function diskError(action: string, path: string, thrown: unknown): DiskError {
  const cause = toError(thrown)
  const code = CODES[systemCode(cause) ?? ''] ?? 'DISK_FAILED'
  return new DiskError(code, `cannot ${action} ${path}: ${cause.message}`, { cause })
}

/** Does `work` and turns what it throws into a {@link DiskError}. */
export async function withDiskErrors<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw thrown instanceof DiskError ? thrown : diskError(action, path, thrown)
  }
}

/** `ENOENT` and the like; undefined for an error that is not the system's. */
export function systemCode(thrown: unknown): string | undefined {
  const code = (thrown as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
