import type { TraceEvent } from '@lab/rpc'
import type { Causes } from '../causes.ts'
import { sentence } from '../sentence.ts'

/** What is under the pointer, beside it, where there is room. Null: nothing is. */
export function tell(
  box: HTMLElement,
  event: TraceEvent | null,
  { clientX, clientY }: MouseEvent,
  causes: Causes,
): void {
  box.hidden = event === null
  if (event === null) return
  box.textContent = `#${String(event.i)}  ${(event.t / 1e6).toFixed(4)} s  ${sentence(event, causes.sendOf(event))}`
  const { offsetWidth, offsetHeight } = box
  box.style.left = `${String(Math.max(Math.min(clientX + 14, window.innerWidth - offsetWidth - 8), 0))}px`
  box.style.top = `${String(clientY > offsetHeight + 20 ? clientY - offsetHeight - 10 : clientY + 18)}px`
}
