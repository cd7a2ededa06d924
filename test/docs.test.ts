/** The documents say what is there: links lead somewhere. */
import { expect, test } from 'vitest'
import { DOCUMENTS, readText } from './tidy/files.ts'
import { brokenLinks } from './tidy/links.ts'

test('links and file names in the documents lead somewhere', () => {
  expect(DOCUMENTS.flatMap((path) => brokenLinks(path, readText(path)))).toEqual([])
})

test('a link to a missing file, a missing heading or a missing source is found', () => {
  const text = '# Title\n[a](none.md) [b](#title) [c](#none) [d](LICENSE) `packages/none.ts`\n'
  expect(brokenLinks('README.md', text)).toEqual([
    'README.md: (none.md)',
    'README.md: (#none)',
    'README.md: `packages/none.ts`',
  ])
})
