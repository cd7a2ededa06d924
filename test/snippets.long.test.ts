/** Every snippet of the documents is checked as a program would be, which takes the compiler its time. */
import { expect, test } from 'vitest'
import { DOCUMENTS, readText } from './tidy/files.ts'
import { snippetsIn, typeErrorsIn } from './tidy/snippets.ts'

test('snippets in the documents compile', { timeout: 180_000 }, () => {
  const snippets = DOCUMENTS.flatMap((path) => snippetsIn(path, readText(path)))
  expect(typeErrorsIn(snippets)).toEqual([])
})

test('a snippet that calls what is not there is found', () => {
  const text = "Say:\n\n```ts\nconst name = 'Ada'\nname.shout()\n```\n"
  const [problem] = typeErrorsIn(snippetsIn('README.md', text))
  expect(problem).toMatch(/^README\.md:5: Property 'shout' does not exist/)
})
