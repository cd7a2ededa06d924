import { readFileSync } from 'node:fs'

/** Of one seed of each scenario of `lab sim`, as committed: 16 digits each. `node scripts/ci/hashes.mjs --write` writes them. */
export interface TraceHashes {
  readonly seed: number
  readonly hashes: Readonly<Record<string, string>>
}

export function traceHashes(): TraceHashes {
  const file = new URL('trace-hashes.json', import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as TraceHashes
}
