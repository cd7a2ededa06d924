// Compiles the sources beside it to WebAssembly. `node packages/mapreduce/wasm/build.mjs` writes src/kernels/*-module.ts; a
// test compiles again and compares, so that what is committed is what the sources say.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MODULES = ['tokens', 'records', 'fold']
const SOURCES = readdirSync(new URL('.', import.meta.url))
const OPTIONS = ['-O3', '--converge', '--runtime', 'stub', '--enable', 'simd', '--use', 'abort=']

/** The text of src/kernels/NAME-module.ts. */
export async function compile(module) {
  const { default: asc } = await import('assemblyscript/asc')
  let binary
  const { error, stderr } = await asc.main([`${module}.ts`, '--outFile', `${module}.wasm`, ...OPTIONS], {
    // The compiler adds an extension to imports that have one.
    readFile: (name) => sourceOf(name.replace(/\.ts\.ts$/, '.ts')),
    writeFile: (name, contents) => void (binary = contents),
    listFiles: () => [],
  })
  if (error !== null) throw new Error(`${error.message}\n${stderr.toString()}`)
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(/.{1,100}/g)
  return [
    `/** wasm/${module}.ts, compiled: made by wasm/build.mjs, not by hand. */`,
    `export const ${module.toUpperCase()}_MODULE = [`,
    ...lines.map((line) => `  '${line}',`),
    "].join('')",
    '',
  ].join('\n')
}

function sourceOf(name) {
  return SOURCES.includes(name) ? readFileSync(new URL(name, import.meta.url), 'utf8') : null
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const module of MODULES)
    writeFileSync(new URL(`../src/kernels/${module}-module.ts`, import.meta.url), await compile(module))
