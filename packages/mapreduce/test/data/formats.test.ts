/** Whatever the cuts, every record is read once: compared with reading the file as one piece, by plainer means. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fixedWidth, wholeFile, wholeFileBytes } from '../../src/data/byte-formats.ts'
import { csv, csvWithHeader } from '../../src/data/csv-format.ts'
import { formatOfFile, gzip } from '../../src/data/gzip-format.ts'
import { byteLines, jsonLinesInput, textLines } from '../../src/data/line-formats.ts'
import { packSplits, planSplits } from '../../src/data/plan-splits.ts'
import type { InputBytes, InputFormat } from '../../src/formats.ts'

function inputOf(bytes: Uint8Array, waits = false): InputBytes {
  const read = (position: number, length: number): Uint8Array => bytes.subarray(position, position + length)
  return {
    size: bytes.length,
    read: (position, length) => (waits ? Promise.resolve(read(position, length)) : read(position, length)),
  }
}

async function recordsOf<Rec>(
  format: InputFormat<Rec>,
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  waits = false,
): Promise<{ offset: number; record: Rec }[]> {
  const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  const found: { offset: number; record: Rec }[] = []
  for (let i = 0; i + 1 < at.length; i++)
    for await (const batch of format.records(inputOf(bytes, waits), at[i]!, at[i + 1]!))
      for (const { offset, record } of batch) {
        const kept = record instanceof Uint8Array ? (record.slice() as Rec) : record
        found.push({ offset, record: kept })
      }
  return found
}

const cutsOf = (most: number): fc.Arbitrary<number[]> => fc.array(fc.nat(most), { maxLength: 6 })

function plainLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines[lines.length - 1] === '') lines.pop()
  return lines.map((line) => line.replace(/\r$/, ''))
}

describe('text lines', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '\r', '\u{1f600}', ' '), maxLength: 9 })
  const texts = fc
    .tuple(fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n'))), line)
    .map(([lines, last]) => lines.map(([text, end]) => text + end).join('') + last)

  test('cut at any byte, also in a character or between CR and LF: each line once, in order, with the byte it begins at', async () => {
    await fc.assert(
      fc.asyncProperty(texts, cutsOf(60), fc.boolean(), async (text, cuts, waits) => {
        const bytes = Buffer.from(text)
        const found = await recordsOf(textLines, bytes, cuts, waits)
        expect(found.map(({ record }) => record)).toEqual(plainLines(text))
        for (const { offset, record } of found)
          expect(bytes.subarray(offset, offset + Buffer.byteLength(record)).toString()).toBe(record)
        const raw = await recordsOf(byteLines, bytes, cuts, waits)
        expect(raw.map(({ offset, record }) => ({ offset, record: Buffer.from(record).toString() }))).toEqual(
          found,
        )
      }),
      { numRuns: 300 },
    )
  })

  test('every cut of a small file', async () => {
    const bytes = Buffer.from('one\r\n\r\n\ntwo ü\nthree')
    for (let a = 0; a <= bytes.length; a++)
      for (let b = a; b <= bytes.length; b++)
        expect((await recordsOf(textLines, bytes, [a, b])).map(({ record }) => record)).toEqual([
          'one',
          '',
          '',
          'two ü',
          'three',
        ])
  })

  test('a line larger than a window and than several splits belongs to the first, whole', async () => {
    const text = `short\n${'long '.repeat(200_000)}\nlast`
    const cuts = [3, 10, 500_000, 900_000]
    expect((await recordsOf(textLines, Buffer.from(text), cuts)).map(({ record }) => record.length)).toEqual([
      5, 1_000_000, 4,
    ])
  })

  test('windows end where lines do: a file of many windows is read as one piece', async () => {
    const text = Array.from({ length: 40_000 }, (_, i) => `line ${i} grün`).join('\n')
    expect((await recordsOf(textLines, Buffer.from(text), [333_333])).map(({ record }) => record)).toEqual(
      text.split('\n'),
    )
  })

  test('an empty file has no lines; a byte order mark is none of the text; bad UTF-8 is marked', async () => {
    expect(await recordsOf(textLines, new Uint8Array(0))).toEqual([])
    expect(await recordsOf(textLines, Buffer.from('\ufeffa\n'))).toEqual([{ offset: 0, record: 'a' }])
    const bad = new Uint8Array([0xff, 10, 0xe2, 0x82, 10, 97])
    expect((await recordsOf(textLines, bad)).map(({ record }) => record)).toEqual(['\ufffd', '\ufffd', 'a'])
  })
})

describe('JSON lines', () => {
  test('values at any cut; empty lines are none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.json({ maxDepth: 1 })), cutsOf(80), async (values, cuts) => {
        const bytes = Buffer.from(values.join('\n\n'))
        const found = await recordsOf(jsonLinesInput, bytes, cuts)
        expect(found.map(({ record }) => record)).toEqual(values.map((value) => JSON.parse(value) as unknown))
      }),
      { numRuns: 100 },
    )
  })

  test('a line that is no JSON is refused with its byte', async () => {
    await expect(recordsOf(jsonLinesInput, Buffer.from('1\n{"a":\n'))).rejects.toMatchObject({
      code: 'BAD_RECORD',
      message: expect.stringContaining('byte 2') as string,
    })
  })
})

describe('CSV', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'é', ' '), maxLength: 6 })
  const rows = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 12 })
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  const written = (all: readonly (readonly string[])[], end: string): string =>
    all.map((row) => row.map(quoted).join(',') + end).join('')

  test('quotes, separators and line ends inside of fields, cut at any byte: each record once', async () => {
    await fc.assert(
      fc.asyncProperty(rows, cutsOf(90), fc.constantFrom('\n', '\r\n'), async (all, cuts, end) => {
        const found = await recordsOf(csv({ splittable: true }), Buffer.from(written(all, end)), cuts)
        expect(found.map(({ record }) => record)).toEqual(all)
      }),
      { numRuns: 300 },
    )
  })

  test('fields without quotes, and another separator', async () => {
    const found = await recordsOf(csv({ separator: ';' }), Buffer.from('a;b,c;\n;"x;""y"z;5""\nlast'))
    expect(found.map(({ record }) => record)).toEqual([['a', 'b,c', ''], ['', 'x;"yz', '5""'], ['last']])
  })

  test('a header names the fields in every split, and is no record in any', async () => {
    const bytes = Buffer.from('\ufeffname,"home\ntown"\nada,london\ngrace\n')
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(
        (await recordsOf(csvWithHeader({ splittable: true }), bytes, [cut])).map(({ record }) => record),
      ).toEqual([
        { name: 'ada', 'home\ntown': 'london' },
        { name: 'grace', 'home\ntown': '' },
      ])
  })

  test('any bytes give records or none, and end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), cutsOf(60), async (bytes, cuts) => {
        const whole = await recordsOf(csv({ splittable: true }), bytes)
        expect(await recordsOf(csv({ splittable: true }), bytes, cuts)).toEqual(whole)
      }),
      { numRuns: 200 },
    )
  })
})

describe('records of one width', () => {
  test('cut at any byte: each once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.nat(40),
        cutsOf(300),
        async (width, count, cuts) => {
          const bytes = Uint8Array.from({ length: width * count }, (_, i) => i * 7)
          const found = await recordsOf(fixedWidth(width), bytes, cuts)
          expect(found.map(({ offset }) => offset)).toEqual(
            Array.from({ length: count }, (_, i) => i * width),
          )
          expect(Buffer.concat(found.map(({ record }) => record)).equals(bytes)).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('a file that ends within a record is refused', async () => {
    await expect(recordsOf(fixedWidth(4), new Uint8Array(10))).rejects.toMatchObject({ code: 'BAD_RECORD' })
  })
})

describe('whole files', () => {
  test('one record, also of an empty file', async () => {
    const text = 'ü\n'.repeat(150_000)
    expect(await recordsOf(wholeFile, Buffer.from(text))).toEqual([{ offset: 0, record: text }])
    expect(await recordsOf(wholeFileBytes, new Uint8Array(0))).toEqual([
      { offset: 0, record: new Uint8Array(0) },
    ])
  })
})

describe('gzip', () => {
  test('any text, packed in any number of members, has the lines of the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'ü') }), { minLength: 1 }),
        async (texts) => {
          const packed = Buffer.concat(texts.map((text) => gzipSync(text)))
          const found = await recordsOf(gzip(textLines), packed)
          expect(found).toEqual(await recordsOf(textLines, Buffer.from(texts.join(''))))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('many windows, and whole files', async () => {
    const text = Array.from({ length: 60_000 }, (_, i) => `line ${i}`).join('\n')
    expect((await recordsOf(gzip(textLines), gzipSync(text))).map(({ record }) => record)).toEqual(
      text.split('\n'),
    )
    expect((await recordsOf(gzip(wholeFile), gzipSync(text)))[0]?.record).toBe(text)
  })

  test('a damaged or cut file is refused, and the name decides who unpacks', async () => {
    const packed = gzipSync('hello '.repeat(1000))
    for (const bytes of [packed.subarray(0, 20), Buffer.from('no gzip')])
      await expect(recordsOf(gzip(textLines), bytes)).rejects.toMatchObject({ code: 'BAD_RECORD' })
    expect(formatOfFile(textLines, 'a.txt.gz').splittable).toBe(false)
    expect(formatOfFile(textLines, 'a.txt')).toBe(textLines)
  })
})

describe('planning splits', () => {
  const plan = (sizes: readonly number[], splitBytes: number, splitsMin = 1): ReturnType<typeof planSplits> =>
    planSplits(
      sizes.map((size, i) => ({ file: `f${i}`, size })),
      { splitBytes, splitsMin, splittable: (file) => file !== 'f1' },
    )

  test('any sizes: every byte of every file is in one split, none is too large, one that may not be cut is whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { maxLength: 5 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(9),
        (sizes, most, splitsMin) => {
          const splits = plan(sizes, most, splitsMin)
          sizes.forEach((size, i) => {
            const own = splits.filter(({ file }) => file === `f${i}`)
            expect(own.map(({ start }) => start)).toEqual([0, ...own.slice(0, -1).map(({ end }) => end)])
            expect(own[own.length - 1]?.end).toBe(size)
            if (i === 1) expect(own).toHaveLength(1)
            else for (const { start, end } of own) expect(end - start).toBeLessThanOrEqual(most)
          })
        },
      ),
    )
  })

  test('many small pieces are packed, each into one task, in order, none larger than a split may be; few are left alone', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 20 }), (sizes, tasksMax) => {
        const splits = plan(sizes, 2_000_000)
        const tasks = packSplits(splits, 2_000_000, tasksMax)
        expect(tasks.flat()).toEqual(splits)
        if (splits.length <= tasksMax) expect(tasks).toHaveLength(splits.length)
        for (const task of tasks) {
          const bytes = task.reduce((sum, { start, end }) => sum + end - start, 0)
          expect(task.length === 1 || bytes <= 3_000_000).toBe(true)
        }
      }),
      // A file that may not be cut and is larger than a split, behind a small one.
      { examples: [[[2, 2_999_999, 0], 1]] },
    )
    expect(
      packSplits(
        plan(
          Array.from({ length: 10_000 }, () => 10),
          1 << 26,
        ),
      ).length,
    ).toBeLessThan(140)
    expect(
      packSplits(
        plan(
          Array.from({ length: 1_000 }, () => 1 << 26),
          1 << 26,
        ),
      ),
    ).toHaveLength(1_000)
  })

  test('one small file still makes two splits when two are asked for; eight files make eight', () => {
    expect(plan([10], 1000, 2)).toHaveLength(2)
    expect(plan([5, 5, 5, 5, 5, 5, 5, 5], 1000, 2)).toHaveLength(8)
  })
})
