/**
 * Chance, passed in: election timeouts, jitter, ids. A seeded generator makes a run repeatable; only
 * {@link systemRandom} draws from the machine.
 */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer, both ends included. */
  integer(min: number, max: number): number
  /** `count` uniform bytes, fresh. */
  bytes(count: number): Uint8Array
}

function randomFrom(next: () => number): Random {
  return {
    next,
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    bytes(count) {
      const bytes = new Uint8Array(count)
      for (let i = 0; i < count; i++) bytes[i] = Math.floor(next() * 256)
      return bytes
    },
  }
}

/** The machine's own randomness; ids come from its cryptographic generator. */
export const systemRandom: Random = {
  ...randomFrom(Math.random),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
}

/**
 * The same numbers for the same seed on every machine (the generator is mulberry32: integer arithmetic only).
 *
 * @param seed any integer; only its low 32 bits count
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return randomFrom(() => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  })
}
