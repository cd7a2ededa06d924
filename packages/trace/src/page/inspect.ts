import type { TraceEvent } from '@lab/rpc'
import type { Cause, Causes } from '../causes.ts'
import type { Violation } from '../check/checker.ts'
import { sentence } from '../sentence.ts'

/** What is known of one event: what it came of, step by step, and all its fields. */
export function inspect(
  box: HTMLElement,
  chain: readonly Cause[],
  {
    causes,
    violations,
    onSelect,
  }: {
    readonly causes: Causes
    readonly violations: readonly Violation[]
    readonly onSelect: (event: TraceEvent) => void
  },
): void {
  const event = chain[0]?.event
  if (event === undefined) {
    box.replaceChildren(
      paragraph(
        'Click an event, or go through them with the arrow keys; e goes to the next election, f to the next fault.',
      ),
    )
    return
  }
  const broken = violations.filter((violation) => violation.event === event)
  box.replaceChildren(
    ...broken.map(({ seen, text, section }) =>
      paragraph(`✗ ${seen}. The rule: ${text} (${section})`, 'broken'),
    ),
    ...chain.map(({ event: step, how }, at) => {
      const word = at === 0 ? '' : how === 'likely' ? 'probably because ' : 'because '
      const button = document.createElement('button')
      button.textContent = `#${String(step.i)}  ${(step.t / 1e6).toFixed(4)} s  ${word}${sentence(step, causes.sendOf(step))}`
      button.addEventListener('click', () => onSelect(step))
      return button
    }),
    ...(chain.length === 1 ? [paragraph('The trace does not say what it came of.')] : []),
    fields(event),
  )
}

function paragraph(text: string, className = ''): HTMLElement {
  const element = document.createElement('p')
  element.textContent = text
  element.className = className
  return element
}

function fields(event: TraceEvent): HTMLElement {
  const element = document.createElement('pre')
  element.textContent = JSON.stringify(event, null, 1)
  return element
}
