/** The documents say what is there: links lead somewhere, snippets compile, every error code is explained. */
import { expect, test } from 'vitest'
import { documentedCodes, errorCodes } from './tidy/error-codes.ts'
import { filesBelow, readText } from './tidy/files.ts'
import { brokenLinks } from './tidy/links.ts'
import { snippetsIn, typeErrorsIn } from './tidy/snippets.ts'
import { parseSource } from './tidy/source.ts'

const documents = filesBelow('.', ['.md']).filter((path) => !path.startsWith('.changeset/'))

test('links and file names in the documents lead somewhere', () => {
  expect(documents.flatMap((path) => brokenLinks(path, readText(path)))).toEqual([])
})

test('a link to a missing file, a missing heading or a missing source is found', () => {
  const text = '# Title\n[a](none.md) [b](#title) [c](#none) [d](LICENSE) `packages/none.ts`\n'
  expect(brokenLinks('README.md', text)).toEqual([
    'README.md: (none.md)',
    'README.md: (#none)',
    'README.md: `packages/none.ts`',
  ])
})

test('snippets in the documents compile', { timeout: 180_000 }, () => {
  const snippets = documents.flatMap((path) => snippetsIn(path, readText(path)))
  expect(typeErrorsIn(snippets)).toEqual([])
})

test('a snippet that calls what is not there is found', () => {
  const text = "Say:\n\n```ts\nconst name = 'Ada'\nname.shout()\n```\n"
  const [problem] = typeErrorsIn(snippetsIn('README.md', text))
  expect(problem).toMatch(/^README\.md:5: Property 'shout' does not exist/)
})

test('every error code of every package is explained in docs/errors.md, and no other', () => {
  const sources = filesBelow('packages', ['.ts'])
    .filter((path) => path.includes('/src/'))
    .map((path) => parseSource(path, readText(path)))
  const documented = documentedCodes(readText('docs/errors.md'))
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(errorCodes(sources)))
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
