import type { TraceEvent } from '@lab/rpc'
import { describe } from '../describe.ts'

const ROW_PX = 22

/** The diagram's twin: the events shown, as rows. Only those in view are in the document. */
export class EventTable {
  readonly #box: HTMLElement
  readonly #body: HTMLElement
  readonly #space: HTMLElement
  readonly #onSelect: (event: TraceEvent) => void
  #events: readonly TraceEvent[] = []
  #selected: TraceEvent | null = null

  constructor(box: HTMLElement, onSelect: (event: TraceEvent) => void) {
    this.#box = box
    this.#onSelect = onSelect
    this.#space = document.createElement('div')
    this.#body = document.createElement('div')
    this.#body.className = 'rows'
    this.#space.append(this.#body)
    box.replaceChildren(this.#space)
    box.addEventListener('scroll', () => this.#render())
  }

  show(events: readonly TraceEvent[]): void {
    this.#events = events
    this.#space.style.height = `${String(events.length * ROW_PX)}px`
    this.#box.setAttribute('aria-rowcount', String(events.length))
    this.#render()
  }

  select(event: TraceEvent | null): void {
    this.#selected = event
    const at = event === null ? -1 : this.#events.indexOf(event)
    const { scrollTop, clientHeight } = this.#box
    if (at >= 0 && (at * ROW_PX < scrollTop || (at + 1) * ROW_PX > scrollTop + clientHeight))
      this.#box.scrollTop = at * ROW_PX - clientHeight / 2
    this.#render()
  }

  #render(): void {
    const first = Math.max(Math.floor(this.#box.scrollTop / ROW_PX) - 5, 0)
    const last = first + Math.ceil(this.#box.clientHeight / ROW_PX) + 10
    this.#body.style.transform = `translateY(${String(first * ROW_PX)}px)`
    this.#body.replaceChildren(
      ...this.#events.slice(first, last).map((event, at) => this.#row(event, first + at)),
    )
  }

  #row(event: TraceEvent, at: number): HTMLElement {
    const row = document.createElement('div')
    row.setAttribute('role', 'row')
    row.setAttribute('aria-rowindex', String(at + 1))
    row.setAttribute('aria-selected', String(event === this.#selected))
    const cells = [`#${String(event.i)}`, (event.t / 1e6).toFixed(4), whereOf(event), describe(event)]
    for (const text of cells) {
      const cell = document.createElement('span')
      cell.setAttribute('role', 'cell')
      // Text of a trace is text: never markup.
      cell.textContent = text
      row.append(cell)
    }
    row.addEventListener('click', () => this.#onSelect(event))
    return row
  }
}

/** `m1` or, of a group, `100 m1`. */
function whereOf({ n, g }: TraceEvent): string {
  return g === undefined ? n : `${String(g)} ${n}`
}
