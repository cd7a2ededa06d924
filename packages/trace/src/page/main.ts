/** The page: reads the trace that stands in it, and shows it as diagram, table and explanation. Nothing leaves it. */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { TraceEvent } from '@lab/rpc'
import { Causes } from '../causes.ts'
import { TraceChecker } from '../check/checker.ts'
import { parseFilter, type Watch } from '../filter/filter.ts'
import type { PageData } from '../html/page.ts'
import { draw } from './draw.ts'
import { nearest } from './hit.ts'
import { inspect } from './inspect.ts'
import { onKeys } from './keys.ts'
import { buildModel } from './model.ts'
import { EventTable } from './table.ts'
import { tell } from './tip.ts'
import { Viewport } from './viewport.ts'

function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no ${id}`)
  return element as T
}

const { events, nodes } = JSON.parse(byId('data').textContent) as PageData
const model = buildModel(events, nodes)
const causes = new Causes(events)
const checker = new TraceChecker()
const violations = events.flatMap((event) => [...checker.feed(event)])
const broken = new Set(violations.map(({ event }) => event.i))
const view = new Viewport(model.start, model.end)

const canvas = byId<HTMLCanvasElement>('diagram')
const filterBox = byId<HTMLInputElement>('filter')
const table = new EventTable(byId('table'), select)
let visible: readonly TraceEvent[] = events
let shown = new Set<number>()
let selected: TraceEvent | null = null
const chain = causes.chain.bind(causes)
let drawing = false

function redraw(): void {
  if (drawing) return
  drawing = true
  requestAnimationFrame(() => {
    drawing = false
    const context = canvas.getContext('2d')
    if (context === null) return
    const ratio = window.devicePixelRatio
    const { clientWidth, clientHeight } = canvas
    canvas.width = clientWidth * ratio
    canvas.height = clientHeight * ratio
    context.scale(ratio, ratio)
    Object.assign(view, { width: clientWidth, height: clientHeight, lanes: Math.max(model.lanes.length, 1) })
    const style = getComputedStyle(document.body)
    const steps = selected === null ? [] : chain(selected)
    draw(context, {
      ...{ model, view, broken, selected, ink: style.color, paper: style.backgroundColor },
      shown: ({ i }) => shown.has(i),
      chain: new Set(steps.map(({ event }) => event.i)),
    })
  })
}

function select(event: TraceEvent): void {
  selected = event
  view.show(event.t)
  table.select(event)
  inspect(byId('details'), chain(event), { causes, violations, onSelect: select })
  redraw()
}

function applyFilter(): void {
  let watch: Watch
  const problem = byId('problem')
  try {
    watch = parseFilter(filterBox.value)()
    problem.textContent = ''
  } catch (thrown) {
    problem.textContent = thrown instanceof Error ? thrown.message : String(thrown)
    return
  }
  for (const button of quick)
    button.setAttribute('aria-pressed', String(button.dataset['filter'] === filterBox.value.trim()))
  visible = events.filter((event) => watch({ time: event.t, life: 1, event }))
  shown = new Set(visible.map(({ i }) => i))
  byId('hidden').textContent =
    `${String(visible.length)} events shown, ${String(events.length - visible.length)} hidden`
  table.show(visible)
  redraw()
}

/** The next, or previous, event shown that `is` what is looked for. */
function step(by: 1 | -1, is: (event: TraceEvent) => boolean = () => true): void {
  const now = selected?.i ?? (by === 1 ? -1 : Infinity)
  const found =
    by === 1
      ? visible.find((event) => event.i > now && is(event))
      : visible.findLast((event) => event.i < now && is(event))
  if (found !== undefined) select(found)
}

canvas.addEventListener('wheel', (wheel) => {
  wheel.preventDefault()
  if (wheel.shiftKey || Math.abs(wheel.deltaX) > Math.abs(wheel.deltaY))
    view.pan(wheel.deltaX || wheel.deltaY)
  else view.zoom(wheel.deltaY > 0 ? 1.25 : 0.8, wheel.offsetX)
  redraw()
})
canvas.addEventListener('pointerdown', (down) => canvas.setPointerCapture(down.pointerId))
canvas.addEventListener('pointermove', (move) => {
  if (move.buttons === 1) {
    view.pan(-move.movementX)
    redraw()
  } else hover(move)
})
canvas.addEventListener('pointerleave', (leave) => tell(byId('tip'), null, leave, causes))
canvas.addEventListener('click', (click) => {
  const event = under(click)
  if (event !== null) select(event)
})

function under({ offsetX: x, offsetY: y }: MouseEvent): TraceEvent | null {
  return nearest(model, view, { x, y }, ({ i }) => shown.has(i))
}

let hovering: MouseEvent | null = null

/** Once a frame, however fast the pointer is. */
function hover(move: MouseEvent): void {
  if (hovering === null)
    requestAnimationFrame(() => {
      if (hovering !== null) tell(byId('tip'), under(hovering), hovering, causes)
      hovering = null
    })
  hovering = move
}

const quick = [...document.querySelectorAll<HTMLButtonElement>('#quick button')]
for (const button of quick)
  button.addEventListener('click', () => {
    filterBox.value = button.dataset['filter'] ?? ''
    applyFilter()
  })
filterBox.addEventListener('input', applyFilter)
window.addEventListener('resize', redraw)
onKeys({
  step,
  cause: () => {
    const cause = selected === null ? undefined : causes.causeOf(selected)
    if (cause !== undefined) select(cause.event)
  },
  violation: (by) => step(by, ({ i }) => broken.has(i)),
  zoom: (factor) => {
    view.zoom(factor, selected === null ? view.width / 2 : view.x(selected.t))
    redraw()
  },
  fit: () => {
    view.fit()
    redraw()
  },
  filter: () => filterBox.focus(),
})

const [earliest] = violations
const verdict = byId('verdict')
// Besides what the trace says of itself, which is the same once more.
const others =
  new Set(violations.filter(({ rule }) => rule !== 'saidByItself').map(({ event }) => event)).size - 1
verdict.textContent =
  earliest === undefined
    ? '✓ no rule broken'
    : `✗ ${earliest.seen} (${earliest.section}), event ${String(earliest.event.i)}${others > 0 ? `, and ${String(others)} more (v)` : ''}`
if (earliest !== undefined) {
  verdict.classList.add('bad')
  verdict.addEventListener('click', () => select(earliest.event))
}
inspect(byId('details'), [], { causes, violations, onSelect: select })
applyFilter()
if (earliest !== undefined) select(earliest.event)
