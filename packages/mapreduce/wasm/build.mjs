// Compiles tokens.ts to WebAssembly. `node packages/mapreduce/wasm/build.mjs` writes src/kernels/tokens-module.ts; a test
// compiles again and compares, so that what is committed is what the source says.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const target = new URL('../src/kernels/tokens-module.ts', import.meta.url)
const OPTIONS = ['-O3', '--converge', '--runtime', 'stub', '--enable', 'simd', '--use', 'abort=']

/** The text of src/kernels/tokens-module.ts. */
export async function compile() {
  const { default: asc } = await import('assemblyscript/asc')
  const source = readFileSync(new URL('tokens.ts', import.meta.url), 'utf8')
  let binary
  const { error, stderr } = await asc.main(['tokens.ts', '--outFile', 'tokens.wasm', ...OPTIONS], {
    readFile: (name) => (name === 'tokens.ts' ? source : null),
    writeFile: (name, contents) => void (binary = contents),
    listFiles: () => [],
  })
  if (error !== null) throw new Error(`${error.message}\n${stderr.toString()}`)
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(/.{1,100}/g)
  return [
    '/** wasm/tokens.ts, compiled: made by wasm/build.mjs, not by hand. */',
    'export const TOKENS_MODULE = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('')",
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, await compile())
