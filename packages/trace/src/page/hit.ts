import type { TraceEvent } from '@lab/rpc'
import type { Arrow, Model } from './model.ts'
import { TOP, type Viewport } from './viewport.ts'

interface Point {
  readonly x: number
  readonly y: number
}

const REACH_PX = 9

/** The event whose dot, or whose message's line, is under the pointer. Dots go first. */
export function nearest(
  model: Model,
  view: Viewport,
  at: Point,
  shown: (event: TraceEvent) => boolean,
): TraceEvent | null {
  let found: TraceEvent | null = null
  let best = REACH_PX
  const look = (event: TraceEvent, distance: number): void => {
    if (distance >= best) return
    best = distance
    found = event
  }
  for (const event of model.events) {
    if (event.t < view.from || event.t > view.to || !shown(event)) continue
    const lane = model.laneOf(event)
    const y = lane === undefined ? TOP + 6 : view.y(lane)
    look(event, Math.hypot(view.x(event.t) - at.x, y - at.y))
  }
  if (found !== null) return found
  for (const arrow of model.arrows) {
    const end = arrow.end ?? arrow.send
    if (end.t >= view.from && arrow.send.t <= view.to && (shown(arrow.send) || shown(end)))
      look(end, distanceTo(arrow, view, at))
  }
  return found
}

function distanceTo({ send, end, from, to }: Arrow, view: Viewport, { x, y }: Point): number {
  const [x1, y1, x2, y2] = [view.x(send.t), view.y(from), view.x((end ?? send).t), view.y(to)]
  const length = (x2 - x1) ** 2 + (y2 - y1) ** 2
  const along =
    length === 0 ? 0 : Math.min(Math.max(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length, 0), 1)
  return Math.hypot(x1 + along * (x2 - x1) - x, y1 + along * (y2 - y1) - y)
}
