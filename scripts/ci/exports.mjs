// publint and attw on every tarball: what is published can be imported, with its types, by whatever knows ES modules.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { publishable } from '../lib/packages.mjs'
import { root } from '../lib/root.mjs'

const packs = join(root, 'packs')
let failed = false
const tarballs = readdirSync(packs).filter((name) => name.endsWith('.tgz'))
if (tarballs.length !== publishable().length) {
  console.log(`FAILED  ${tarballs.length} tarballs of ${publishable().length} packages`)
  failed = true
}
for (const name of tarballs.sort()) {
  const tarball = join(packs, name)
  check(`publint ${name}`, 'publint', ['run', '--strict', tarball])
  check(`attw ${name}`, 'attw', ['--profile', 'esm-only', '--no-definitely-typed', '--no-emoji', tarball])
}
process.exit(failed ? 1 : 0)

function check(title, program, args) {
  const bin = join(root, 'node_modules', '.bin', program)
  const { status, stdout, stderr } = spawnSync(bin, args, { encoding: 'utf8', cwd: root })
  console.log(`${status === 0 ? 'ok' : 'FAILED'}  ${title}`)
  if (status === 0) return
  failed = true
  console.log(stdout + stderr)
}
