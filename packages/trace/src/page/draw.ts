/** Draws what is in view. What falls on the same pixels is drawn once: the work is bounded by the canvas, not by the story. */
import type { TraceEvent } from '@lab/rpc'
import { topicOf } from '../topics.ts'
import { messageColor, ROLE_COLORS, TOPIC_COLORS } from './colors.ts'
import { drawLabels } from './labels.ts'
import type { Arrow, Lane, Model } from './model.ts'
import { LEFT, TOP, type Viewport } from './viewport.ts'

export interface Scene {
  readonly model: Model
  readonly view: Viewport
  readonly shown: (event: TraceEvent) => boolean
  readonly selected: TraceEvent | null
  /** What the selected event came of. */
  readonly chain: ReadonlySet<number>
  readonly broken: ReadonlySet<number>
  readonly ink: string
  readonly paper: string
}

/** Who leads is told without colours too. */
const BAR: Readonly<Record<string, number>> = { leader: 16, candidate: 11, follower: 6 }
const GAP = 12

export function draw(canvas: CanvasRenderingContext2D, scene: Scene): void {
  const { view, ink, paper, model } = scene
  canvas.fillStyle = paper
  canvas.fillRect(0, 0, view.width, view.height)
  canvas.font = '12px system-ui, sans-serif'
  for (const { start, end } of model.bands)
    fillStretch(canvas, view, start, end, TOP, view.height, '#d55e0022')
  drawGroups(canvas, scene)
  drawScale(canvas, view, ink)
  model.lanes.forEach((lane, at) => drawLane(canvas, scene, lane, at))
  drawArrows(canvas, scene)
  drawEvents(canvas, scene)
  drawLabels(canvas, scene)
}

/** Every other group stands on another ground. */
function drawGroups(canvas: CanvasRenderingContext2D, { model, view, ink }: Scene): void {
  const groups = [...new Set(model.lanes.map(({ group }) => group))]
  canvas.fillStyle = ink
  canvas.globalAlpha = 0.06
  const height = view.y(1) - view.y(0)
  model.lanes.forEach(({ group }, at) => {
    if (groups.indexOf(group) % 2 === 1) canvas.fillRect(0, view.y(at) - height / 2, view.width, height)
  })
  canvas.globalAlpha = 1
}

function drawScale(canvas: CanvasRenderingContext2D, view: Viewport, ink: string): void {
  const step = niceStep((view.to - view.from) / Math.max((view.width - LEFT) / 110, 1))
  canvas.fillStyle = ink
  canvas.globalAlpha = 0.6
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = view.x(time)
    canvas.fillRect(x, TOP - 6, 1, 6)
    canvas.fillText(`${(time / 1e6).toFixed(step < 1000 ? 5 : step < 1e5 ? 4 : 2)} s`, x + 3, TOP - 10)
    canvas.globalAlpha = 0.12
    canvas.fillRect(x, TOP, 1, view.height)
    canvas.globalAlpha = 0.6
  }
  canvas.globalAlpha = 1
}

function niceStep(wanted: number): number {
  let step = 1
  while (step * 10 < wanted) step *= 10
  return step * ([1, 2, 5, 10].find((factor) => step * factor >= wanted) ?? 10)
}

function drawLane(canvas: CanvasRenderingContext2D, { view, ink }: Scene, lane: Lane, at: number): void {
  const y = view.y(at)
  canvas.fillStyle = ink
  canvas.globalAlpha = 0.3
  canvas.fillRect(LEFT, y, view.width, 1)
  canvas.globalAlpha = 1
  for (const { start, end } of lane.cuts) fillStretch(canvas, view, start, end, y - 20, y + 20, '#d55e0033')
  for (const { start, end, role } of lane.roles) {
    const half = (BAR[role] ?? GAP) / 2
    fillStretch(canvas, view, start, end, y - half, y + half, ROLE_COLORS[role] ?? '#999999')
  }
  canvas.strokeStyle = '#d55e00'
  for (const { start, end } of lane.gaps) {
    const right = Math.min(view.x(end), view.width)
    canvas.setLineDash([3, 4])
    canvas.strokeRect(view.x(start), y - GAP / 2, Math.max(right - view.x(start), 1), GAP)
    canvas.setLineDash([])
  }
}

function fillStretch(
  canvas: CanvasRenderingContext2D,
  view: Viewport,
  ...[start, end, top, bottom, color]: readonly [number, number, number, number, string]
): void {
  const left = Math.max(view.x(start), LEFT)
  const right = Math.min(view.x(end), view.width)
  if (right < LEFT || left > view.width) return
  canvas.fillStyle = color
  canvas.fillRect(left, top, Math.max(right - left, 1), bottom - top)
}

function drawArrows(canvas: CanvasRenderingContext2D, scene: Scene): void {
  const { model, view, shown, chain } = scene
  const drawn = new Set<string>()
  // News stands above what is said ten times a second.
  const arrows = inOrder(model.arrows.filter((arrow) => isInView(arrow, view)))
  const isDense = arrows.length > (view.width - LEFT) / DENSE_PX
  for (const arrow of arrows) {
    const { send, end } = arrow
    const last = end?.t ?? send.t
    if (!(shown(send) || (end !== undefined && shown(end)))) continue
    const key = `${String(Math.round(view.x(send.t)))} ${String(Math.round(view.x(last)))} ${String(arrow.from)} ${String(arrow.to)} ${messageColor(send['type'])} ${end?.k ?? ''} ${String(arrow.isHeartbeat)}`
    const isCause = chain.has(send.i)
    if (drawn.has(key) && !isCause) continue
    drawn.add(key)
    drawArrow(canvas, scene, arrow, { isCause, isDense })
  }
}

/** With less room than that for each, arrows are a texture, and have no heads. */
const DENSE_PX = 4

function isInView({ send, end }: Arrow, view: Viewport): boolean {
  return (end?.t ?? send.t) >= view.from && send.t <= view.to
}

function inOrder(arrows: readonly Arrow[]): Arrow[] {
  return [
    ...arrows.filter(({ isHeartbeat }) => isHeartbeat),
    ...arrows.filter(({ isHeartbeat }) => !isHeartbeat),
  ]
}

function drawArrow(
  canvas: CanvasRenderingContext2D,
  { view, ink }: Scene,
  { send, end, from, to, isHeartbeat }: Arrow,
  { isCause, isDense }: { readonly isCause: boolean; readonly isDense: boolean },
): void {
  const isLost = end?.k === 'drop'
  const [x1, y1] = [view.x(send.t), view.y(from)]
  const whole = view.x(end?.t ?? send.t)
  // What was lost ends half way.
  const [x2, y2] =
    isLost || end === undefined ? [Math.max(whole, x1 + 6), (y1 + view.y(to)) / 2] : [whole, view.y(to)]
  canvas.strokeStyle = isCause ? ink : messageColor(send['type'])
  canvas.lineWidth = isCause ? 2.5 : 1
  canvas.globalAlpha = isCause ? 1 : (isHeartbeat ? 0.3 : 1) * (isDense ? 0.3 : 1)
  canvas.beginPath()
  canvas.moveTo(x1, y1)
  canvas.lineTo(x2, y2)
  canvas.stroke()
  if (isLost) cross(canvas, x2, y2)
  else if (end !== undefined && (isCause || !isDense)) head(canvas, Math.atan2(y2 - y1, x2 - x1), x2, y2)
  canvas.lineWidth = 1
  canvas.globalAlpha = 1
}

function cross(canvas: CanvasRenderingContext2D, x: number, y: number): void {
  canvas.strokeStyle = '#d55e00'
  canvas.beginPath()
  canvas.moveTo(x - 4, y - 4)
  canvas.lineTo(x + 4, y + 4)
  canvas.moveTo(x + 4, y - 4)
  canvas.lineTo(x - 4, y + 4)
  canvas.stroke()
}

function head(canvas: CanvasRenderingContext2D, angle: number, x: number, y: number): void {
  canvas.beginPath()
  for (const side of [-0.4, 0.4]) {
    canvas.moveTo(x, y)
    canvas.lineTo(x - 7 * Math.cos(angle + side), y - 7 * Math.sin(angle + side))
  }
  canvas.stroke()
}

function diamond(canvas: CanvasRenderingContext2D, x: number, y: number): void {
  canvas.moveTo(x, y - 9)
  canvas.lineTo(x + 9, y)
  canvas.lineTo(x, y + 9)
  canvas.lineTo(x - 9, y)
  canvas.closePath()
}

function drawEvents(canvas: CanvasRenderingContext2D, scene: Scene): void {
  const { model, view, shown, selected, chain, broken, ink } = scene
  const drawn = new Set<string>()
  // What else happened at that moment is on this line.
  if (selected !== null) {
    canvas.fillStyle = ink
    canvas.globalAlpha = 0.35
    canvas.fillRect(view.x(selected.t), TOP - 6, 1, view.height)
    canvas.globalAlpha = 1
  }
  for (const event of model.events) {
    const lane = model.laneOf(event)
    if (event.t < view.from || event.t > view.to || !shown(event)) continue
    const isMarked = event === selected || chain.has(event.i) || broken.has(event.i)
    const x = view.x(event.t)
    const y = lane === undefined ? TOP + 6 : view.y(lane)
    const key = `${String(Math.round(x))} ${String(lane)} ${topicOf(event)}`
    if (drawn.has(key) && !isMarked) continue
    drawn.add(key)
    canvas.fillStyle = broken.has(event.i) ? '#ff0033' : TOPIC_COLORS[topicOf(event)]
    canvas.beginPath()
    if (broken.has(event.i)) diamond(canvas, x, y)
    else canvas.arc(x, y, isMarked ? 6 : 3, 0, 2 * Math.PI)
    canvas.fill()
    if (event !== selected && !chain.has(event.i)) continue
    canvas.strokeStyle = ink
    canvas.lineWidth = event === selected ? 3 : 1.5
    canvas.stroke()
    canvas.lineWidth = 1
  }
}
