/** The judge must be able to say no. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { comparePage } from '../src/compare.ts'
import { cut, type Page } from '../src/plan.ts'
import { isClean, verify } from '../src/verify.ts'

const text = Array.from({ length: 40 }, (_, n) => `line ${n} of the page\n`)
const page: Page = { key: 'page', pieces: text.map((line) => Buffer.from(line)) }
const found = (lines: readonly string[]): Uint8Array => Buffer.from(lines.join(''))

test('the page as it was written is no difference', () => {
  expect(comparePage(page, found(text))).toBeNull()
})

test('a lost piece is counted and located', () => {
  expect(comparePage(page, found(text.toSpliced(10, 2)))).toMatchObject({
    ...{ key: 'page', lost: 2, duplicated: 0, foreignBytes: 0 },
    at: found(text.slice(0, 10)).length + 'line 1'.length,
    wanted: matching(/^"0 of the page/),
    found: matching(/^"2 of the page/),
  })
})

test('the last piece is lost, too, when it is not there', () => {
  expect(comparePage(page, found(text.slice(0, -1)))).toMatchObject({ lost: 1, duplicated: 0 })
})

test('a piece that is there twice is a duplicate, at once or later', () => {
  expect(comparePage(page, found(text.toSpliced(10, 0, text[9]!)))).toMatchObject({ lost: 0, duplicated: 1 })
  expect(comparePage(page, found([...text, text[3]!]))).toMatchObject({ lost: 0, duplicated: 1 })
})

test('a missing key is everything lost', () => {
  expect(comparePage(page, undefined)).toMatchObject({ lost: 40, found: 'no such key' })
  expect(comparePage({ key: 'empty', pieces: [new Uint8Array(0)] }, undefined)).not.toBeNull()
})

test('bytes that nobody wrote are counted', () => {
  expect(comparePage(page, found(text.toSpliced(5, 0, 'xyz')))).toMatchObject({ lost: 0, foreignBytes: 3 })
})

test('any page with any one change is a difference', () => {
  const anyPage = fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 20 }))
    .map(([bytes, size]): Page => ({ key: 'k', pieces: cut(bytes, size) }))
  fc.assert(
    fc.property(anyPage, fc.nat(), fc.nat({ max: 2 }), (page, where, how) => {
      const pieces = [...page.pieces]
      const at = where % pieces.length
      const changed = Uint8Array.from(pieces[at]!, (byte) => byte ^ 1)
      if (how === 0) pieces.splice(at, 1)
      if (how === 1) pieces.splice(at, 0, pieces[at]!)
      if (how === 2) pieces.splice(at, 1, changed)
      const difference = comparePage(page, Buffer.concat(pieces))
      expect(difference).not.toBeNull()
      if (how === 0) expect(difference?.lost).toBeGreaterThan(0)
    }),
  )
})

test('a verdict is clean only when every key came back and no operation failed', async () => {
  const signal = new AbortController().signal
  const store = new Map([['page', found(text)]])
  const reader = { get: async (key: string) => store.get(key) }
  expect(isClean(await verify([page], [], { reader, signal }))).toBe(true)
  expect(isClean(await verify([page], [{ key: 'x', reason: 'no answer' }], { reader, signal }))).toBe(false)
  store.set('page', found([...text, text[0]!, text[1]!]))
  const verdict = await verify([page], [], { reader, signal })
  expect(verdict).toMatchObject({ lost: 0, duplicated: 2 })
  expect(isClean(verdict)).toBe(false)
})

function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern)
}
