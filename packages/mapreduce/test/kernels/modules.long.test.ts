/** The WebAssembly that is committed, against its source: the compiler takes its time. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test.each(['tokens', 'records', 'fold'])(
  'the committed module %s is what its source compiles to',
  { timeout: 120_000 },
  async (module) => {
    const build = new URL('../../wasm/build.mjs', import.meta.url).href
    const { compile } = (await import(build)) as { compile: (module: string) => Promise<string> }
    const committed = new URL(`../../src/kernels/${module}-module.ts`, import.meta.url)
    expect(await compile(module)).toBe(readFileSync(committed, 'utf8'))
  },
)
