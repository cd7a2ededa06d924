/** What `defineJob` takes and refuses, and the types that it infers. */
import { JobError, checkJob, defineJob, type Emit } from '@lab/mapreduce'
import { expect, expectTypeOf, test } from 'vitest'

test('without formats and annotations keys are text and values are numbers', () => {
  const job = defineJob({
    map(line: string, emit) {
      expectTypeOf(emit).toEqualTypeOf<Emit<string, number>>()
      emit(line, 1)
    },
    reduce(key, values, emit) {
      expectTypeOf(values).toEqualTypeOf<Iterable<number>>()
      emit(key, [...values].length)
    },
  })
  expect(Object.keys(job)).toEqual(['map', 'reduce'])
})

test("an annotation of map's emit reaches combine and reduce", () => {
  defineJob({
    map(line: { words: string[] }, emit: Emit<string, readonly string[]>) {
      emit('words', line.words)
    },
    combine: (left, right) => [...left, ...right],
    reduce(_key, values, emit) {
      expectTypeOf(values).toEqualTypeOf<Iterable<readonly string[]>>()
      emit('words', [...values].flat().join())
    },
  })
})

test('a job without reduce, or with a partition that is no function, is refused by name', () => {
  expect(() => {
    checkJob({ map: () => undefined })
  }).toThrow(new JobError('BAD_JOB', 'reduce of the job is missing'))
  expect(() => {
    checkJob({ map: () => undefined, reduce: () => undefined, partition: 3 })
  }).toThrow('partition of the job is no function')
  expect(() => {
    checkJob(undefined)
  }).toThrow('export default defineJob')
})
