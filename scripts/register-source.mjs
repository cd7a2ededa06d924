// `node --import ./scripts/register-source.mjs main.ts`: see source-hooks.mjs.
import { register, syncBuiltinESMExports } from 'node:module'
import workerThreads from 'node:worker_threads'

register('./source-hooks.mjs', import.meta.url)

// Hooks hold for one thread. Whoever starts another need not know that it runs from source: it gets them too.
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file, options = {}) {
    const { execArgv = process.execArgv } = options
    const own = execArgv.includes(import.meta.url) ? [] : ['--import', import.meta.url]
    super(file, { ...options, execArgv: [...execArgv, ...own] })
  }
}
syncBuiltinESMExports()
