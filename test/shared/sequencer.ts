/** The order of the test files. */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const WAITING = /\/(packages\/cli|packages\/[^/]+\/test\/processes|demo|examples)\//

/**
 * Files that start processes wait a good deal: between two of them come files that only compute, so that a core has work while
 * another file waits, and what runs last does not wait.
 */
export class Sequencer extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    // Vitest's own order: what took longest in the last run first; in a fresh clone, the largest file.
    const sorted = await super.sort(specifications)
    const waits = ({ moduleId }: TestSpecification): boolean => WAITING.test(moduleId.replaceAll('\\', '/'))
    return spread(
      sorted.filter((one) => waits(one)),
      sorted.filter((one) => !waits(one)),
    )
  }
}

/** After each of `few` come two of `many`, as long as there are such; both keep their order. */
export function spread<T>(few: readonly T[], many: readonly T[]): T[] {
  const begun = few.flatMap((one, at) => [one, ...many.slice(2 * at, 2 * at + 2)])
  return [...begun, ...many.slice(2 * few.length)]
}
