/** The text format of Prometheus: families of samples, each told apart by its labels. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels: Labels
  readonly value: number | Buckets
}

export type Labels = Readonly<Record<string, string>>

/** A histogram, in the unit of its family. */
export interface Buckets {
  /** Upper bounds, growing; the last bucket has none. */
  readonly bounds: readonly number[]
  /** How many fell into each, not added up; one more than `bounds`. */
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
}

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function renderPrometheus(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, help, type, samples }) =>
        `# HELP ${name} ${help.replace(/[\\\n]/g, ' ')}\n# TYPE ${name} ${type}\n${samples.map((sample) => renderSample(name, sample)).join('')}`,
    )
    .join('')
}

function renderSample(name: string, { labels, value }: Sample): string {
  if (typeof value === 'number') return line(name, labels, value)
  let below = 0
  const buckets = value.counts.map((count, i) => {
    below += count
    const le = String(value.bounds[i] ?? '+Inf')
    return line(`${name}_bucket`, { ...labels, le }, below)
  })
  return [
    ...buckets,
    line(`${name}_sum`, labels, value.sum),
    line(`${name}_count`, labels, value.count),
  ].join('')
}

function line(name: string, labels: Labels, value: number): string {
  const list = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
  return `${name}${list.length === 0 ? '' : `{${list.join(',')}}`} ${value}\n`
}

function escape(text: string): string {
  return text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')
}
