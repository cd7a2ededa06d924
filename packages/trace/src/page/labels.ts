/** Words in the diagram: above all else, on a halo of the ground, where there is room for them. */
import type { Lane, Stretch } from './model.ts'
import type { Scene } from './draw.ts'
import { LEFT, TOP } from './viewport.ts'

export function drawLabels(canvas: CanvasRenderingContext2D, scene: Scene): void {
  const { model, view, ink, paper } = scene
  canvas.lineWidth = 3
  canvas.lineJoin = 'round'
  canvas.strokeStyle = paper
  canvas.fillStyle = ink
  model.lanes.forEach((lane, at) => labelLane(canvas, scene, lane, view.y(at)))
  canvas.fillStyle = paper
  canvas.fillRect(0, TOP, LEFT - 6, view.height)
  canvas.fillStyle = ink
  model.lanes.forEach((lane, at) => canvas.fillText(nameOf(lane), 6, view.y(at) + 4))
  if (model.events.some((event) => model.laneOf(event) === undefined)) canvas.fillText('others', 6, TOP + 10)
  if (!model.events.some(scene.shown)) sayNothing(canvas, scene)
}

function labelLane(canvas: CanvasRenderingContext2D, scene: Scene, lane: Lane, y: number): void {
  for (const stretch of lane.roles) {
    const { role, term } = stretch
    const star = role === 'leader' ? '★ ' : ''
    label(canvas, scene, stretch, y - 12, [`${star}${role}, term ${String(term)}`, `${star}${String(term)}`])
  }
  for (const gap of lane.gaps) label(canvas, scene, gap, y + 4, ['down'])
  for (const cut of lane.cuts) label(canvas, scene, cut, y + 18, ['cut off'])
}

/** The first of the texts for which its stretch has room, where it begins in view; none where none has. */
function label(
  canvas: CanvasRenderingContext2D,
  { view }: Scene,
  { start, end }: Stretch,
  ...[y, texts]: readonly [number, readonly string[]]
): void {
  const left = Math.max(view.x(start), LEFT)
  const room = Math.min(view.x(end), view.width) - left - 4
  const text = texts.find((one) => canvas.measureText(one).width <= room)
  if (text === undefined) return
  canvas.strokeText(text, left + 2, y)
  canvas.fillText(text, left + 2, y)
}

/** What it says beside a lane: `100 m1` is the replica of group 100 on m1. */
function nameOf({ node, group }: Lane): string {
  return (group === undefined ? node : `${String(group)} ${node}`).slice(0, 9)
}

function sayNothing(canvas: CanvasRenderingContext2D, { model, view }: Scene): void {
  const text = model.events.length === 0 ? 'The trace holds no events.' : 'No event passes the filter.'
  canvas.font = '16px system-ui, sans-serif'
  canvas.fillText(text, (view.width - canvas.measureText(text).width) / 2, view.height / 2)
}
