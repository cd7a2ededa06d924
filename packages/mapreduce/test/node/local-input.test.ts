import { appendFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Split } from '../../src/formats.ts'
import { LocalInput } from '../../src/node/local-input.ts'

let folder = ''
const input = new LocalInput()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-mr-input-'))
})
afterEach(() => {
  input.close()
  rmSync(folder, { recursive: true, force: true })
})

function splitOf(name: string, text: string): Split {
  const file = join(folder, name)
  writeFileSync(file, text)
  return { file, start: 0, end: text.length, fileBytes: text.length }
}

function textOf(split: Split): string | null {
  const open = input.open(split)
  if (open === null) return null
  const bytes = open.bytes.read(0, 100) as Uint8Array
  open.close()
  return new TextDecoder().decode(bytes)
}

test('one file after the other, also the same again', () => {
  const [one, two] = [splitOf('one', 'the first'), splitOf('two', 'another')]
  expect([one, one, two, one].map(textOf)).toEqual(['the first', 'the first', 'another', 'the first'])
})

test('one that is not here, or of another size than the job was planned for, is to be read elsewhere', () => {
  const one = splitOf('one', 'the first')
  expect(textOf(one)).toBe('the first')
  appendFileSync(one.file, ' and more')
  expect(textOf(one)).toBe(null)
  expect(textOf({ ...one, fileBytes: 18 })).toBe('the first and more')
  expect(textOf({ ...one, file: join(folder, 'none') })).toBe(null)
})

const descriptors = '/proc/self/fd'
const isLinux = process.platform === 'linux'

test.runIf(isLinux)('no more than the latest stays open, and nothing when it is closed', () => {
  const open = (): number => readdirSync(descriptors).filter(isBelow).length
  const isBelow = (name: string): boolean => {
    try {
      return readlinkSync(join(descriptors, name)).startsWith(folder)
    } catch {
      return false
    }
  }
  const splits = ['one', 'two', 'three'].map((name) => splitOf(name, name))
  splits.map(textOf)
  expect(open()).toBe(1)
  input.close()
  expect(open()).toBe(0)
})
