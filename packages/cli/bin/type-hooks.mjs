// Strips the types of modules that `lab grade` loads, on a Node that cannot do so itself.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context)
  const { transformSync } = await import('amaro')
  const { code } = transformSync(await readFile(fileURLToPath(url), 'utf8'), { mode: 'strip-only' })
  return { format: 'module', shortCircuit: true, source: code }
}
