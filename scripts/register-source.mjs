// `node --import ./scripts/register-source.mjs main.ts`: see source-hooks.mjs.
import * as nodeModule from 'node:module'
import workerThreads from 'node:worker_threads'
import { loadSync, resolve } from './source-hooks.mjs'

const { enableCompileCache, register, registerHooks, syncBuiltinESMExports } = nodeModule
// Hooks in this thread where Node has them: the others take a thread of their own, in every process and every thread.
if (registerHooks === undefined) register('./source-hooks.mjs', import.meta.url)
else registerHooks({ resolve, load: loadSync })
enableCompileCache?.()

// Hooks hold for one thread. Whoever starts another need not know that it runs from source: it gets them too.
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file, options = {}) {
    const { execArgv = process.execArgv } = options
    const own = execArgv.includes(import.meta.url) ? [] : ['--import', import.meta.url]
    super(file, { ...options, execArgv: [...execArgv, ...own] })
  }
}
syncBuiltinESMExports()
