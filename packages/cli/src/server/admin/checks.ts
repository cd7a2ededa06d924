/** Whether a server is ready, in parts that can be named and left out. */
import type { HostedGroup } from '../hosted.ts'

export interface Check {
  readonly name: string
  /** Why not; null when all is well. */
  readonly problem: string | null
}

/** A follower that has so much left to apply would answer reads late. */
const APPLY_LAG_MAX = 10_000

/** @param stopping the server has been told to stop: it is not to be given new work */
export function readiness(
  groups: readonly HostedGroup[],
  { stopping }: { readonly stopping: boolean },
): Check[] {
  return [
    { name: 'running', problem: stopping ? 'it is about to stop' : null },
    ...groups.flatMap(({ name, node }) => {
      const { leader, commitIndex, appliedIndex } = node.status()
      const lag = commitIndex - appliedIndex
      return [
        { name: `${name}-leader`, problem: leader === null ? 'nobody is known to lead' : null },
        {
          name: `${name}-applied`,
          problem: lag > APPLY_LAG_MAX ? `${lag} committed entries are not applied yet` : null,
        },
      ]
    }),
  ]
}

/** A line a check, the failed ones first. */
export function describeChecks(checks: readonly Check[]): string {
  const failed = checks.filter(({ problem }) => problem !== null)
  const passed = checks.filter(({ problem }) => problem === null)
  return [
    ...failed.map(({ name, problem }) => `[-] ${name}: ${String(problem)}`),
    ...passed.map(({ name }) => `[+] ${name}`),
    failed.length === 0 ? 'ready' : 'not ready',
    '',
  ].join('\n')
}
