import { readFile } from 'node:fs/promises'
import { IN_CHECKOUT, ownFile } from './own-files.ts'

/** In the checkout the program of the trace page is made from its sources, as everything runs from source there. */
const FROM_SOURCE = ownFile('../../scripts/lib/page-script.mjs')

/** The program of the page, in one piece. */
export async function pageScript(): Promise<string> {
  if (!IN_CHECKOUT)
    return readFile(new URL('dist/page.js', import.meta.resolve('@lab/trace/package.json')), 'utf8')
  const source = (await import(FROM_SOURCE.href)) as { readonly pageScript: () => Promise<string> }
  return source.pageScript()
}
