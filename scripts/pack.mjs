// `npm run pack`: builds every package and writes its tarball to packs/. pnpm packs, because npm would leave
// `workspace:^` in the dependencies.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { publishable } from './lib/packages.mjs'
import { pnpm } from './lib/pnpm.mjs'
import { root } from './lib/root.mjs'

const packs = join(root, 'packs')
console.error('pack: building every package, one to four minutes …')
rmSync(packs, { recursive: true, force: true })
mkdirSync(packs)
pnpm(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only'], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
for (const { directory } of publishable()) {
  pnpm(['pack', '--pack-destination', packs], { cwd: directory, stdio: 'pipe' })
}

const tarballs = readdirSync(packs).sort()
console.log(tarballs.map((name) => `packs/${name}`).join('\n'))
console.log('\nTo use Raft in a project of yours, run there:')
const needed = tarballs.filter((name) => /^lab-(rpc|raft)-/.test(name))
console.log(`  npm install ${needed.map((name) => join(packs, name)).join(' ')}`)
