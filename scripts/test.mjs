// `npm test`: every test that is not long. `npm test -- 2A`: a part of the labs. `npm test -- figure 8`: part of a name.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { LAB_PARTS, namePattern, namesLab } from './lib/test-filter.mjs'
import { root } from './lib/root.mjs'

const HELP = `npm test [-- WORDS] [--long] [--seed N] [--coverage]

  npm test                      everything but the long tests
  npm test -- 2A                one part of the labs; several may be named: 2A 2B
  npm test -- rejoin of leader  the tests whose name holds these words, as written
  npm test -- packages/rpc      the tests in a folder or a file
  --long                        the long tests too (*.long.test.ts)
  --seed N                      the first seed of the tests that run over seeds
  --trace                       write what happens in the labs' tests to .lab/traces
  --coverage                    and which lines they ran

Parts of the labs: ${LAB_PARTS.join(' ')}`

const { values, positionals } = parseOptions()
if (values.help === true) {
  console.log(HELP)
  process.exit(0)
}
if (values.seed !== undefined && !/^\d{1,10}$/.test(values.seed)) {
  fail(`--seed takes a whole number from 0 on, not "${values.seed}"`)
}

const paths = positionals.filter((word) => word.includes('/') && beginsPath(join(root, word)))
const words = positionals.filter((word) => !paths.includes(word))
// Tests of the labs stand in folders of that name (a house rule): no need to load the others.
if (paths.length === 0 && namesLab(words)) paths.push('/test/labs/')
const args = [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...paths]
if (words.length > 0) args.push('-t', namePattern(words))
if (values.coverage === true) args.push('--coverage')

const { status, signal } = spawnSync(process.execPath, args, {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    ...(values.long === true ? { LAB_LONG: '1' } : {}),
    ...(values.seed === undefined ? {} : { LAB_SEED: values.seed }),
    ...(values.trace === true ? { LAB_TRACE: '1' } : {}),
  },
})
if (status !== 0 && words.length > 0) {
  console.error(
    `(only tests named like "${words.join(' ')}" were asked for; parts of the labs: ${LAB_PARTS.join(' ')})`,
  )
}
process.exit(signal === null ? (status ?? 1) : 130)

/** A folder, a file, or the beginning of a file's name. */
function beginsPath(path) {
  const folder = dirname(path)
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(basename(path)))
}

function parseOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        long: { type: 'boolean' },
        seed: { type: 'string' },
        trace: { type: 'boolean' },
        coverage: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`)
  }
}

function fail(message) {
  console.error(`npm test: ${message}`)
  process.exit(2)
}
