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
