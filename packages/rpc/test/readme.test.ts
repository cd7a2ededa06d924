/** The README's programs run and print what they say. That they compile is checked for all documents together. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
/** Inside the checkout, so that the packages are found as an app finds them. */
let folder = ''
let snippets: readonly string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(root, 'node_modules', '.rpc-readme-'))
  const markdown = await readFile(join(import.meta.dirname, '../README.md'), 'utf8')
  snippets = [...markdown.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function output(part: string): Promise<string> {
  const snippet = snippets.find((text) => text.includes(part)) ?? ''
  const file = join(folder, 'snippet.ts')
  await writeFile(file, `${snippet}\nprocess.exit(0)\n`)
  const register = join(root, 'scripts/register-source.mjs')
  const { stdout } = await run(process.execPath, ['--import', register, file], {
    cwd: folder,
    timeout: 50_000,
  })
  return stdout
}

test('the first program has at most 15 lines and greets', async () => {
  expect(snippets[0]?.trim().split('\n').length).toBeLessThanOrEqual(15)
  expect(await output('Greeter')).toBe('hello Ada\n1\n2\n3\n')
})

test('the server that knows who calls starts', async () => {
  expect(await output('Members')).toBe('0\n')
})

test('the network that fails leaves the outcome unknown', async () => {
  expect(await output('Bank')).toBe('TIMEOUT unknown 5\n')
})
