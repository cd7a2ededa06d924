/** Jobs as programs of a pipeline, in the protocol of Hadoop Streaming. */
import { bytesKey, defineJob, descending, numberKey, textValue, tupleKey } from '@lab/mapreduce'
import { seededRandom } from '@lab/rpc'
import { expect, test } from 'vitest'
import { testJob } from '../../src/test-job.ts'
import { sequentially } from '../sim/sim-job.ts'
import { texts } from '../sim/texts.ts'
import { pipeline, sorted, streamed } from './pipeline.ts'

const wordCount = defineJob({
  map(line: string, emit, context) {
    for (const word of line.match(/[A-Za-z]+/g) ?? []) emit(word, 1)
    context.counter('lines').add()
  },
  reduce(word, counts, emit) {
    emit(
      word,
      [...counts].reduce((a, b) => a + b),
    )
  },
})

test.each([
  ['whole chunks', 1 << 16],
  ['chunks of 7 bytes', 7],
])(
  'map | LC_ALL=C sort | combine | sort | reduce gives what a sequential run gives, read in %s',
  async (_, chunkBytes) => {
    const input = Object.values(texts(seededRandom(5), 3, 40)).join('')
    const combining = { ...wordCount, combine: (a: number, b: number) => a + b }
    const expected = sequentially(wordCount, { input })
    expect(await pipeline(wordCount, input, { chunkBytes })).toBe(expected)
    expect(await pipeline(combining, input, { chunkBytes })).toBe(expected)
  },
)

test('keys that hold TABs, line ends, control characters or no text at all keep their groups and their order', async () => {
  const keys = [
    'a',
    'a\t',
    'a\tb',
    'a\nb',
    'a\r',
    'a\u0001',
    'a\u000e',
    'a\u000e\u001e',
    'ab',
    'é',
    '\u{1f600}',
    '\uffff',
    '',
  ]
  const text = defineJob({
    map: (line: string, emit) => {
      emit(JSON.parse(line) as string, 1)
    },
    reduce: (key, ones, emit) => {
      emit(JSON.stringify(key), [...ones].length)
    },
  })
  const lines = [...keys, ...keys.toReversed()].map((key) => JSON.stringify(key))
  const { output } = await testJob(text, lines)
  expect(await pipeline(text, lines.join('\n'))).toBe(output.map(([k, v]) => `${k}\t${String(v)}\n`).join(''))
  expect(output).toHaveLength(keys.length)

  const bytes = defineJob({
    key: tupleKey(descending(numberKey), bytesKey),
    map: (line: string, emit) => {
      emit([line.length % 7, Buffer.from(line)], line.length)
    },
    reduce: ([number, name], lengths, emit) => {
      emit(`${String(number)} ${Buffer.from(name).toString('hex')}`, [...lengths].join(' '))
    },
  })
  const expected = await testJob(bytes, lines)
  expect(await pipeline(bytes, lines.join('\n'))).toBe(
    expected.output.map(([k, v]) => `${k}\t${v}\n`).join(''),
  )
})

test('values are JSON that other programs can read, and keep what JSON loses', async () => {
  const values = [
    1,
    -0,
    NaN,
    Infinity,
    -Infinity,
    1e300,
    'to\tbe\n"or" not',
    '',
    null,
    true,
    { a: [1, { b: 'é' }] },
  ]
  const job = defineJob<string, string, unknown, string, string>({
    map: (line, emit) => {
      emit('k', values[Number(line)])
    },
    reduce: (_key, given, emit) => {
      for (const value of given)
        emit(
          'same',
          String(
            values.findIndex(
              (one) =>
                Object.is(one, value) ||
                (typeof one === 'object' && JSON.stringify(one) === JSON.stringify(value)),
            ),
          ),
        )
    },
  })
  const { out } = await streamed('map', job, values.map((_, i) => `${String(i)}\n`).join(''))
  expect(out.toString().split('\n').slice(0, 3)).toEqual(['k\t1', 'k\t-0', 'k\tNaN'])
  const reduced = await streamed('reduce', job, out)
  expect(reduced.out.toString()).toBe(values.map((_, i) => `same\t${String(i)}\n`).join(''))
})

test('lines of another program are reduced: the key ends at the first TAB, a line without one is a key', async () => {
  const job = defineJob<string, string, string, string, string>({
    value: textValue,
    map: () => undefined,
    reduce: (key, values, emit) => {
      emit(key, [...values].join('|'))
    },
  })
  const { out } = await streamed('reduce', job, 'a\tb\tc\na\td\nalone\nz\t')
  expect(out.toString()).toBe('a\tb\tc|d\nalone\t\nz\t\n')
  await expect(streamed('reduce', wordCount, 'a\tone\n')).rejects.toMatchObject({
    code: 'TASK_FAILED',
    message: expect.stringContaining('the value "one" is no JSON') as unknown,
  })
})

test('counters and status go to standard error in the framework’s words, summed and once', async () => {
  const job = defineJob({
    ...wordCount,
    teardown(context) {
      context.status('nearly\ndone')
      context.counter('a, b').add(2)
    },
  })
  const { told } = await streamed('map', job, 'to be\nor not\n')
  expect(told).toEqual([
    'reporter:status:nearly done',
    'reporter:counter:job,a; b,2',
    'reporter:counter:job,lines,2',
  ])
})

test('input that was not sorted, or in the order of a locale, is refused; order none takes it', async () => {
  const lines = 'b\t1\na\t1\n'
  await expect(streamed('reduce', wordCount, lines)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(/^line 2 .* "a" after "b": sort it with LC_ALL=C sort/) as unknown,
  })
  const { out } = await streamed('reduce', { ...wordCount, order: 'none' }, lines)
  expect(out.toString()).toBe('b\t1\na\t1\n')
})

test('what throws comes with the input, the byte, the record and the user’s own stack', async () => {
  const job = defineJob({
    ...wordCount,
    map(line: string) {
      if (line.startsWith('bad')) throw new TypeError('no such thing')
    },
  })
  await expect(streamed('map', job, 'good\nbad one\n', { inputFile: '/in/x.txt' })).rejects.toThrow(
    'map task 0 threw: TypeError: no such thing\n  at byte 5 of /in/x.txt\n  record: "bad one"\n    at map (job.ts:1:1)',
  )
  await expect(
    streamed(
      'map',
      defineJob({ ...wordCount, map: (_line: string, _emit, context) => void context.sideFile('x') }),
      'a',
    ),
  ).rejects.toMatchObject({ code: 'BAD_JOB' })
  await expect(streamed('combine', wordCount, '')).rejects.toMatchObject({ code: 'BAD_JOB' })
})

test('functions that wait are waited for, and empty input is a task like any other', async () => {
  const waits = defineJob({
    async map(line: string, emit) {
      await Promise.resolve()
      emit(line, 1)
    },
    async reduce(key, counts, emit) {
      await Promise.resolve()
      emit(key, [...counts].length)
    },
  })
  expect(await pipeline(waits, 'b\na\nb')).toBe('a\t1\nb\t2\n')
  expect(await pipeline(wordCount, '')).toBe('')
  expect(sorted(Buffer.from('b\nB\n')).toString()).toBe('B\nb\n')
})
