// The program of the trace page, in one piece: written beside the build of @lab/trace, and made on the spot by a `lab` that
// runs from source.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const entry = fileURLToPath(new URL('../../packages/trace/src/page/main.ts', import.meta.url))

/** @returns {Promise<string>} a classic script */
export async function pageScript() {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2023',
    conditions: ['@lab/source'],
    charset: 'ascii',
    logLevel: 'silent',
  })
  const [file] = outputFiles
  // Nothing in the script may end the element that it stands in.
  return file.text.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')
}
