import type { Entry } from '../../src/entry.ts'
import { payloadOf } from '../../src/entry.ts'
import { makeEntry } from '../../src/record.ts'
import type { Storage } from '../../src/storage.ts'

/** The entry as a record of another group. */
export function regroup(entry: Entry, group: number): Entry {
  const { kind, index, term, time } = entry
  return makeEntry({ group, kind, index, term, time, payload: payloadOf(entry) })
}

/** `storage`, of `group`, for tests that write records of group 0. */
export function inGroup(storage: Storage, group: number): Storage {
  return {
    ...storage,
    write: ({ entries, hardState }) =>
      storage.write({ entries: entries.map((entry) => regroup(entry, group)), hardState }),
    open: async (owner) => {
      const recovered = await storage.open(owner)
      return { ...recovered, configurations: recovered.configurations.map((entry) => regroup(entry, 0)) }
    },
  }
}
