// Strips the types of modules that `lab grade` and `lab mr` load, on a Node that cannot do so itself.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context)
  const { stripTypes } = await import('./strip-types.mjs')
  const path = fileURLToPath(url)
  return { format: 'module', shortCircuit: true, source: stripTypes(await readFile(path, 'utf8'), path) }
}
