import { describeChecks, readiness } from './checks.ts'
import { familiesOf } from './families.ts'
import type { Hosted } from '../hosted.ts'
import type { ProcessMeter } from './process-families.ts'
import { PROMETHEUS_TYPE, renderPrometheus } from './prometheus.ts'
import type { TraceRing } from './trace-ring.ts'

/** What the admin port tells of. */
export interface AdminView {
  readonly hosted: Hosted
  readonly meter: ProcessMeter
  readonly ring: TraceRing
  readonly stopping: () => boolean
}

export interface Reply {
  readonly status: number
  readonly type: string
  readonly body: string
}

const INDEX = `/livez          is the process alive?
/readyz         is it to be given work?  ?verbose lists the checks, ?exclude=NAME leaves one out
/metrics        for Prometheus
/debug/trace    what happened last: ?last=5s; see lab trace
`

export function answer(view: AdminView, path: string, query: URLSearchParams): Reply {
  switch (path) {
    case '/':
      return text(200, INDEX)
    case '/livez':
      // That this is answered shows that the event loop turns. A minority without a leader is alive, and must not be killed.
      return text(200, 'ok\n')
    case '/readyz':
      return ready(view, query)
    case '/metrics': {
      const families = [...familiesOf(view.hosted.groups(), view.hosted.rpc()), ...view.meter.families()]
      return { status: 200, type: PROMETHEUS_TYPE, body: renderPrometheus(families) }
    }
    case '/debug/trace':
      return trace(view, query.get('last'))
    default:
      return text(404, INDEX)
  }
}

function ready({ hosted, stopping }: AdminView, query: URLSearchParams): Reply {
  const excluded = query.getAll('exclude')
  const checks = readiness(hosted.groups(), { stopping: stopping() }).filter(
    ({ name }) => !excluded.includes(name),
  )
  const failed = checks.some(({ problem }) => problem !== null)
  return text(failed ? 503 : 200, failed || query.has('verbose') ? describeChecks(checks) : 'ok\n')
}

function trace({ ring }: AdminView, last: string | null): Reply {
  const seconds = last === null ? Infinity : Number(/^(\d+(?:\.\d+)?)s?$/.exec(last)?.[1])
  if (Number.isNaN(seconds))
    return text(400, `last is a time in seconds such as 5s, not ${JSON.stringify(last)}\n`)
  return { status: 200, type: 'application/jsonl; charset=utf-8', body: ring.dump(seconds) }
}

function text(status: number, body: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body }
}
