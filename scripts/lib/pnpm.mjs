import { spawnSync } from 'node:child_process'
import { root } from './root.mjs'

export const PNPM = 'pnpm@12.21.0'

/** Runs pnpm, which no machine needs to have, and exits when it fails. `options` are spawnSync's. */
export function pnpm(args, options = {}) {
  const { status, stdout } = spawnSync('npx', ['--yes', '--prefer-offline', PNPM, ...args], {
    cwd: root,
    stdio: 'inherit',
    encoding: 'utf8',
    shell: process.platform === 'win32',
    ...options,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  })
  if (status !== 0) {
    if (stdout) console.error(stdout)
    console.error(`failed: pnpm ${args.join(' ')}`)
    process.exit(1)
  }
  return stdout
}
