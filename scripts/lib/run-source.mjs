import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.mjs'

/**
 * Runs a TypeScript file of this checkout from source and exits as it does. The loader goes along by NODE_OPTIONS, so
 * that the processes and workers that the file starts have it too.
 */
export function runSource(file, args) {
  const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit', env: sourceEnvironment() })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 130))
}

/** The environment in which `node file.ts` works and finds the packages' sources. */
export function sourceEnvironment() {
  const loader = `--import ${pathToFileURL(join(root, 'scripts', 'register-source.mjs')).href}`
  return { ...process.env, NODE_OPTIONS: [process.env.NODE_OPTIONS, loader].filter(Boolean).join(' ') }
}
