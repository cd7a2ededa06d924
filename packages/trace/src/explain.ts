/** The chain of causes that led to an event, in sentences to be quoted. */
import type { TraceEvent } from '@lab/rpc'
import { Causes } from './causes.ts'
import type { TimedEvent } from './parse.ts'
import { sentence } from './sentence.ts'

export interface Step {
  readonly event: TraceEvent
  /** Since the first event of the story. */
  readonly seconds: number
  /** What happened, as a sentence without its end. */
  readonly text: string
  /** The trace does not say that the step before came of this one; it stands right before it. */
  readonly likely: boolean
}

/**
 * Explains the event of that number.
 *
 * @param story all of it, at least up to there
 * @returns the event first, then what it came of, back to the beginning; empty when there is no such event
 */
export function explain(story: readonly TimedEvent[], number: number): Step[] {
  const first = story[0]?.time ?? 0
  const causes = new Causes(story.map(({ event }) => event))
  const times = new Map(story.map(({ event, time }) => [event.i, time]))
  const event = causes.at(number)
  if (event === undefined) return []
  return causes.chain(event).map(({ event: step, how }) => ({
    event: step,
    seconds: ((times.get(step.i) ?? first) - first) / 1e6,
    text: sentence(step, causes.sendOf(step)),
    likely: how === 'likely',
  }))
}

/** The explanation as text: one step a line. */
export function formatExplanation(steps: readonly Step[]): string[] {
  const [effect, ...causes] = steps
  const last = steps.at(-1)
  if (effect === undefined || last === undefined) return []
  const lines = [`${stamp(effect)}  ${effect.text}.`]
  for (const cause of causes)
    lines.push(`${stamp(cause)}  ${cause.likely ? 'probably because' : 'because'} ${cause.text}`)
  if (causes.length === 0) lines.push('The trace does not say what it came of.')
  else
    lines.push(
      `So it began with event ${String(last.event.i)}, ${milliseconds(effect, last)} ms before, ${String(causes.length)} steps back.`,
    )
  return lines
}

function stamp({ event, seconds }: Step): string {
  return `${`#${String(event.i)}`.padStart(7)} ${seconds.toFixed(4).padStart(9)} s`
}

function milliseconds(effect: Step, cause: Step): string {
  return ((effect.seconds - cause.seconds) * 1000).toFixed(1)
}
