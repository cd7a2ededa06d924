import { KvError } from './errors.ts'
import { SCAN_LIMIT_MAX } from './limits.ts'
import type { Scan } from './queries.ts'
import { boundsOf, type KeyRange } from './range.ts'

const SCAN_LIMIT = 1000

/** A scan as a user asks for it. @throws {KvError} `BAD_RANGE`, `BAD_KEY` */
export function scanOf(
  range: KeyRange,
  {
    limit = SCAN_LIMIT,
    keysOnly = false,
  }: { readonly limit?: number | undefined; readonly keysOnly?: boolean | undefined },
): Scan {
  if (!Number.isInteger(limit) || limit < 1 || limit > SCAN_LIMIT_MAX)
    throw new KvError('BAD_RANGE', `limit is a whole number from 1 to ${SCAN_LIMIT_MAX}, not ${limit}`)
  return { op: 'scan', ...boundsOf(range), limit, keysOnly }
}
