import type { TraceEvent } from '@lab/rpc'
import { numberOf } from '../fields.ts'
import { at, type Property } from './property.ts'
import type { Server, World } from './world.ts'

/** What was applied first at an index, and by whom. */
interface Applied {
  readonly term: number | undefined
  readonly command: unknown
  readonly by: string
}

/** Compares what servers apply; and already what they commit, which shows earlier. */
export const stateMachineSafety: Property = {
  rule: 'stateMachineSafety',
  kinds: ['commit', 'apply'],
  watch: () => {
    const applied: Applied[] = []
    return (event, server, world) => {
      if (event.k === 'commit') return committedOther(event, server, world)
      const index = event.k === 'apply' ? numberOf(event, 'index') : undefined
      if (index === undefined) return null
      const now = { term: numberOf(event, 'term'), command: event['command'], by: event.n }
      const before = (applied[index] ??= now)
      return differ(before, now, index)
    }
  },
}

function committedOther(
  event: TraceEvent,
  { id, log, registered }: Server,
  { committed }: World,
): string | null {
  const last = Math.min(numberOf(event, 'index') ?? 0, log?.last ?? 0)
  for (let index = registered + 1; index <= last; index++) {
    const term = log?.termAt(index)
    const other = committed[index]
    if (term !== undefined && other !== undefined && term !== other.term)
      return `${id} commits ${at(index, term)}, ${other.by} had committed ${at(index, other.term)} (event ${String(other.event)})`
  }
  return null
}

function differ(before: Applied, now: Applied, index: number): string | null {
  if (before.term !== undefined && now.term !== undefined && before.term !== now.term)
    return `at index ${String(index)} ${before.by} applied an entry of term ${String(before.term)} and ${now.by} applies one of term ${String(now.term)}`
  if (before.command === undefined || now.command === undefined) return null
  const [one, other] = [JSON.stringify(before.command), JSON.stringify(now.command)]
  return one === other
    ? null
    : `at index ${String(index)} ${before.by} applied ${one} and ${now.by} applies ${other}`
}
