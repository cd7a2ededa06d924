// Lets Node run this checkout from its TypeScript sources, without a build: resolves packages of the workspace to
// their `@lab/source` export and, on a Node that cannot do so itself, strips the types. See register-source.mjs.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const NODE_STRIPS_TYPES =
  process.features.typescript === 'strip' || process.features.typescript === 'transform'
let stripper

export async function resolve(specifier, context, nextResolve) {
  return nextResolve(specifier, { ...context, conditions: ['@lab/source', ...context.conditions] })
}

export async function load(url, context, nextLoad) {
  if (NODE_STRIPS_TYPES || !url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context)
  stripper ??= await import('amaro')
  const source = await readFile(fileURLToPath(url), 'utf8')
  return {
    format: 'module',
    shortCircuit: true,
    source: stripper.transformSync(source, { mode: 'strip-only' }).code,
  }
}
