#!/usr/bin/env node
// In the checkout `lab` runs from source, whatever a build left behind; an installed package has no scripts beside it and
// runs what was built.
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname } from 'node:path'

// Where Node can, it keeps what it has compiled, and jobs without their types; for our threads and processes, too.
nodeModule.enableCompileCache?.()
const compiled = nodeModule.getCompileCacheDir?.()
if (compiled !== undefined) process.env.NODE_COMPILE_CACHE ??= dirname(compiled)

const scripts = new URL('../../../scripts/', import.meta.url)
const inCheckout = existsSync(scripts) && existsSync(new URL('../tsup.config.ts', import.meta.url))
const argv = process.argv.slice(2)
const { main } = await import(inCheckout ? await source() : '../dist/main.js')
await main(argv)

async function source() {
  const main = new URL('../src/main.ts', import.meta.url).href
  const { bundles, LAB } = await import(new URL('lib/bundles.mjs', scripts).href)
  const made = await bundles()
  // These load modules of the user's, which are to find the very packages that `lab` itself uses.
  const loadsModules = ['grade', 'mr'].includes(argv[0])
  if (made === null || loadsModules) await import(new URL('register-source.mjs', scripts).href)
  return made?.[loadsModules ? main : LAB] ?? main
}
