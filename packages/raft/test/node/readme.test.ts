import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..', '..', '..')
/** Inside the checkout, so that the packages are found as an app finds them. */
let folder = ''
let snippets: readonly string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(root, 'node_modules', '.readme-'))
  const markdown = await readFile(join(root, 'packages', 'raft', 'README.md'), 'utf8')
  snippets = [...markdown.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1]!)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function output(code: string): Promise<string> {
  const file = join(folder, 'snippet.ts')
  await writeFile(file, code)
  const register = join(root, 'scripts', 'register-source.mjs')
  return (await run(process.execPath, ['--import', register, file], { cwd: folder, timeout: 50_000 })).stdout
}

describe('the README', () => {
  test('its first snippet has at most 15 lines, runs, and finds its log when it runs again', async () => {
    const code = snippets[0]!.replace('localhost:7001', 'localhost:0')
    expect(snippets[0]!.trim().split('\n').length).toBeLessThanOrEqual(15)
    expect(await output(code)).toBe('1\n')
    expect(await output(code)).toBe('2\n')
  })

  test('its cluster in virtual time prints what it says', async () => {
    const code = snippets.find((snippet) => snippet.includes('RaftCluster'))!
    expect(await output(code)).toBe('2\n')
  })
})
