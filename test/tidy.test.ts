/** The house rules that a machine can check. Each is also shown a file that breaks it. */
import { expect, test } from 'vitest'
import { filesBelow, readText } from './tidy/files.ts'
import { formRules } from './tidy/form.ts'
import { importRules } from './tidy/imports.ts'
import { simulatedRules } from './tidy/simulated.ts'
import { parseSource } from './tidy/source.ts'

const FOLDERS = ['packages', 'examples', 'bench', 'demo', 'scripts', 'test']

const sources = FOLDERS.flatMap((folder) => filesBelow(folder, ['.ts', '.mjs', '.js'])).map((path) =>
  parseSource(path, readText(path)),
)

for (const rule of [...simulatedRules, ...importRules, ...formRules]) {
  test(rule.title, () => {
    const found = sources
      .filter(({ path }) => rule.applies(path))
      .flatMap((source) => rule.violations(source).map((violation) => `${source.path}:${violation}`))
    expect(found).toEqual([])
  })

  test(`${rule.title}: a file that breaks it is found`, () => {
    const { path, text } = rule.broken
    expect(rule.applies(path)).toBe(true)
    expect(rule.violations(parseSource(path, text))).not.toEqual([])
  })
}
