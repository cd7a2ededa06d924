#!/usr/bin/env node
// In the checkout `lab` runs from source, whatever a build left behind; an installed package has no scripts beside it and
// runs what was built. The hooks resolve packages of the workspace to their sources and, where Node does not, strip types.
import { existsSync } from 'node:fs'

const hooks = new URL('../../../scripts/register-source.mjs', import.meta.url)
const inCheckout = existsSync(hooks) && existsSync(new URL('../tsup.config.ts', import.meta.url))
if (inCheckout) await import(hooks.href)
const { main } = await import(inCheckout ? '../src/index.ts' : '../dist/index.js')
await main(process.argv.slice(2))
