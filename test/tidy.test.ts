/** The house rules that a machine can check. Each is also shown a file that breaks it. */
import { expect, test } from 'vitest'
import { documentedCodes, errorCodes } from './tidy/error-codes.ts'
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

test('every error code of every package is explained in docs/errors.md, and no other', () => {
  const own = sources.filter(({ path }) => /^packages\/[^/]+\/src\//.test(path))
  const documented = documentedCodes(readText('docs/errors.md'))
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(errorCodes(own)))
})

test('codes are found in unions, in named unions and in initial values', () => {
  const source = parseSource(
    'a.ts',
    `type ACode = 'B' | 'A'
     class AError extends Error { readonly code: ACode }
     class BError extends Error { readonly code: 'C' | 'D' }
     class CError extends AError { override readonly code = 'E' as const }`,
  )
  expect(Object.fromEntries(errorCodes([source]))).toEqual({
    AError: ['A', 'B'],
    BError: ['C', 'D'],
    CError: ['E'],
  })
})
