import { expect } from 'vitest'
import { run } from '../src/main.ts'
import type { Io } from '../src/io.ts'

export interface Ran {
  readonly code: number
  /** Standard output and standard error. */
  readonly out: string
  readonly talk: string
}

/** Runs `lab` in this process. Servers that it starts are processes of their own all the same. */
export async function lab(
  argv: readonly string[],
  more: Partial<Io> & { readonly input?: string } = {},
): Promise<Ran> {
  const out: Uint8Array[] = []
  const talk: string[] = []
  const { input = '', ...io } = more
  const code = await run(argv, {
    out: async (data) => void out.push(Buffer.from(data)),
    talk: (line) => void talk.push(line),
    readInput: async () => Buffer.from(input),
    lines: async function* () {
      yield* input.split('\n')
    },
    ...{ env: {}, cwd: process.cwd(), interactive: false, color: false, width: 100 },
    signal: new AbortController().signal,
    ...io,
  })
  return { code, out: Buffer.concat(out).toString(), talk: talk.join('\n') }
}

/** `expect.stringMatching` with a type that may stand anywhere. */
export function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern)
}
