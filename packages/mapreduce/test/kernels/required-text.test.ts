import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requiredText } from '../../src/kernels/required-text.ts'

test.each<readonly [RegExp, string]>([
  [/zq[xj]/, 'zq'],
  [/a+bcd?efg/, 'efg'],
  [/^error: \d+ at line$/, ' at line'],
  [/a\.b\/c/, 'a.b/c'],
  [/(?:abc)?xy/, 'xy'],
  [/(?!abcdef)gh/, 'gh'],
  [/abc{0}d/, 'ab'],
  [/ab{2,}?cd/, 'cd'],
  [/[a\]b]cd[(]ef/, 'cd'],
  [/\bword\b/, 'word'],
  [/(a(b|c)[)]d)xyz/, 'xyz'],
  [/abc|xyz/, ''],
  [/abc/i, ''],
  [new RegExp('abc', 'v'), ''],
  [/\u0041bc/, ''],
  [/(?<n>a)\k<n>bc/, ''],
  [/(a)\1bcd/, ''],
  [/\d+/, ''],
  [/über/, 'ber'],
])('%s requires %j', (expression, text) => {
  expect(requiredText(expression)).toBe(text)
})

const atoms = fc.constantFrom(
  'a',
  'b',
  'ab',
  '\\.',
  '.',
  '[ab]',
  '[^]]',
  '(a|b)',
  '(?:ab)',
  '(?=a)',
  '(?<!b)',
  '\\w',
  '^',
  '$',
)
const pieces = fc
  .tuple(atoms, fc.constantFrom('', '', '', '*', '+', '?', '{0}', '{2}', '{1,2}?'))
  .map(([atom, quantifier]) => (/^(?:\(\?[=<]|[\^$])/.test(atom) ? atom : atom + quantifier))

test('whatever matches holds it', () => {
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '.', ']'), maxLength: 12 }),
      (parts, text) => {
        const expression = new RegExp(parts.join(''))
        if (expression.test(text)) expect(text).toContain(requiredText(expression))
      },
    ),
    { numRuns: 2000 },
  )
})
