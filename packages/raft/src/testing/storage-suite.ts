/**
 * What every storage must do, as tests without a test runner:
 *
 *     for (const { title, run } of storageSuite({ open: openMine })) test(title, run)
 */
import type { Storage } from '../storage.ts'
import { crashTests } from './storage/crash-tests.ts'
import { hardStateTests } from './storage/hard-state-tests.ts'
import { identityTests } from './storage/identity-tests.ts'
import type { StorageTest } from './storage/kit.ts'
import { logTests } from './storage/log-tests.ts'
import { readTests } from './storage/read-tests.ts'
import { randomHistoryTests } from './storage/random-history-tests.ts'
import { snapshotTests } from './storage/snapshot-tests.ts'

/** One place to store things: a folder, an object. */
export interface StoragePlace {
  /** A storage on this place, not open. Called again after the one before was closed, or crashed: as a restart. */
  storage(): Storage
  /** As if the process were killed, and the machine lost its power: what is not durable may be gone. */
  crash?(): Promise<void>
  /** Removes everything. */
  dispose(): Promise<void>
}

export interface StorageSuiteOptions {
  /** A place of its own, empty. */
  open(): Promise<StoragePlace>
  /** Abilities that are missing, each with the reason. Their tests are left out. */
  readonly lacks?: Partial<Record<StorageAbility, string>>
}

/** `crash`: a place can crash. `lock`: a second opening is refused while the first is open. */
export type StorageAbility = 'crash' | 'lock'

/** @returns tests to be given to any runner; `run` rejects when the storage does not keep its promises */
export function storageSuite(options: StorageSuiteOptions): { title: string; run: () => Promise<void> }[] {
  const tests: readonly StorageTest[] = [
    ...identityTests,
    ...logTests,
    ...hardStateTests,
    ...readTests,
    ...snapshotTests,
    ...crashTests,
    ...randomHistoryTests,
  ]
  return tests
    .filter(({ needs }) => needs === undefined || options.lacks?.[needs] === undefined)
    .map(({ title, run }) => ({
      title,
      run: async () => {
        const place = await options.open()
        try {
          await run(place)
        } finally {
          await place.dispose()
        }
      },
    }))
}
