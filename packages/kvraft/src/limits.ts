/**
 * How large things may be. They belong to the meaning of the log, as replicas with other limits would disagree on which
 * writes are refused: constants, not options.
 */

/** A key has 1 to this many bytes. */
export const KEY_BYTES_MAX = 4 * 1024

/** A value has 0 to this many bytes, after an append too. */
export const VALUE_BYTES_MAX = 1024 * 1024

/** Of the largest command, with room for its head and the session around it: what a server must take. */
export const COMMAND_BYTES_MAX = KEY_BYTES_MAX + VALUE_BYTES_MAX + 256

/** Comparisons, and operations of each branch, in one transaction. */
export const TXN_PARTS_MAX = 128

/** Of the values that one transaction reads: each server remembers the result until the clerk has it. */
export const TXN_READ_BYTES_MAX = 256 * 1024

/** Some 34 years. */
export const TTL_MS_MAX = 2 ** 40

/** Keys that one command lets expire; the rest wait for the next. */
export const EXPIRED_PER_COMMAND = 256

/** Entries in a page of a scan. */
export const SCAN_LIMIT_MAX = 4096

/** Of keys and values in a page of a scan, beyond the first entry. */
export const SCAN_BYTES_MAX = 1024 * 1024

/** Of changes remembered for watches, in a store that is not told otherwise. */
export const HISTORY_BYTES = 16 * 1024 * 1024
