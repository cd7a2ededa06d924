// `node --import ./scripts/register-source.mjs main.ts`: see source-hooks.mjs.
import * as nodeModule from 'node:module'
import { relative } from 'node:path'
import workerThreads from 'node:worker_threads'
import { bundles } from './lib/bundles.mjs'
import { root } from './lib/root.mjs'
import { initialize, loadSync, resolveSync } from './source-hooks.mjs'

const { enableCompileCache, register, registerHooks, syncBuiltinESMExports } = nodeModule
const data = { bundles: looksInside(process.argv[1]) ? null : await bundles() }
// Hooks in this thread where Node has them: the others take a thread of their own, in every process and every thread.
if (registerHooks === undefined) register('./source-hooks.mjs', import.meta.url, { data })
else {
  initialize(data)
  registerHooks({ resolve: resolveSync, load: loadSync })
}
enableCompileCache?.()

/** Programs of tests and benchmarks import sources that no package exports: they get all from source, nothing twice. */
function looksInside(program) {
  return /^(packages[\\/][^\\/]+[\\/](src|test)|bench)[\\/]/.test(relative(root, program ?? ''))
}

// Hooks hold for one thread. Whoever starts another need not know that it runs from source: it gets them too.
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file, options = {}) {
    const { execArgv = process.execArgv } = options
    const isThere = execArgv.includes(import.meta.url)
    // Threads that name no flags have all of ours; those of V8's may not be named.
    super(file, isThere ? options : { ...options, execArgv: [...execArgv, '--import', import.meta.url] })
  }
}
syncBuiltinESMExports()
