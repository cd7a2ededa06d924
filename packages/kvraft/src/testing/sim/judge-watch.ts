/** Is what a watch told every change after its beginning, each once, in order, and none before it was there? */
import { mustHold, type Operation } from '@lab/sim'
import type { EveryOp, EveryResult } from './every-op.ts'
import { sameChange } from './judge-results.ts'
import type { Timeline } from './timeline.ts'

type Done = Operation<EveryOp, EveryResult>

export function judgeWatch(timeline: Timeline, watch: Done, operations: readonly Done[]): void {
  const { result, client, call } = watch
  if (result === null || result === undefined || !('told' in result)) return
  const { told, revision: through } = result
  const who = `the watch of ${client}`
  mustHold(
    through <= timeline.last,
    `${who} is through ${String(through)}, and the last is ${String(timeline.last)}`,
  )
  // A watch from now on tells nothing that was there before it was asked for; where it began shows with its first change.
  const before = result.after ?? seenBefore(operations, call)
  let last = result.after ?? Math.max(before, (told[0]?.revision ?? 1) - 1)
  for (const { at, ...event } of told) {
    const revision = String(event.revision)
    mustHold(event.revision > before, `${who} tells revision ${revision}, and began after ${String(before)}`)
    mustHold(event.revision !== last || last === before, `${who} tells revision ${revision} twice`)
    mustHold(event.revision > last, `${who} tells revision ${revision} after ${String(last)}`)
    mustHold(event.revision === last + 1, `${who} leaves out revision ${String(last + 1)}`)
    mustHold(
      sameChange(timeline.change(event.revision), event),
      `${who} tells revision ${revision} otherwise than it was`,
    )
    const asked = operations.find(({ op }) => 'value' in op && op.value === event.value)
    mustHold(
      asked === undefined || asked.call <= at,
      `${who} tells revision ${revision} before anybody asked for it`,
    )
    last = event.revision
  }
  mustHold(
    told.length === 0 || last === through,
    `${who} says that it told all up to ${String(through)}, and ended at ${String(last)}`,
  )
  if (result.after !== null) mustHold(last === through, `${who} leaves out revision ${String(last + 1)}`)
}

/** The newest revision that anybody knew of before `call`. */
function seenBefore(operations: readonly Done[], call: number): number {
  return operations.reduce(
    (newest, { outcome, result, return: end, op }) =>
      outcome === 'ok' && op.op !== 'watch' && end < call ? Math.max(newest, result?.revision ?? 0) : newest,
    0,
  )
}
