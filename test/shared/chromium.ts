/** The browser of the tests of pages. Where there is none they skip, and say so. */
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

/** The distribution's; CHROMIUM names another. */
export const CHROMIUM = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
)

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] })
}
