import type { SpreadSummary, TraceSummary } from '@lab/trace'

/** The numbers of a trace, for people. */
export function summaryLines(summary: TraceSummary): string[] {
  const { events, seconds, nodes, highestTerm, elections, campaigns, committed } = summary
  return [
    `${events} events in ${seconds.toFixed(3)} s at ${nodes.length} nodes: ${nodes.join(' ')}`,
    `${elections.length} elections won of ${campaigns} campaigns, up to term ${highestTerm}`,
    ...elections.map(
      ({ seconds: at, node, term, group }) =>
        `  ${at.toFixed(4).padStart(10)} s  ${node} in term ${term}${group === undefined ? '' : `, group ${group}`}`,
    ),
    `committed up to index ${committed}`,
    ...spreadLine('append to commit', summary.commitMs),
    ...spreadLine('write to disk', summary.diskMs),
    ...Object.entries(summary.calls).flatMap(([outcome, spread]) => spreadLine(`calls ${outcome}`, spread)),
    ...messageLines(summary),
    ...countLine('refused', summary.refusals),
    ...countLine('faults', summary.faults),
  ]
}

function spreadLine(name: string, { count, median, p99, max }: SpreadSummary): string[] {
  if (count === 0) return []
  return [`  ${name}: ${count}, median ${ms(median)}, 99 % within ${ms(p99)}, at most ${ms(max)}`]
}

function messageLines({ messages }: TraceSummary): string[] {
  const types = Object.entries(messages).sort(([, a], [, b]) => b.sent - a.sent)
  if (types.length === 0) return []
  const width = Math.max(...types.map(([type]) => type.length), 8)
  const columns = ['sent', 'arrived', 'lost', 'bytes'].map((name) => name.padStart(9)).join('')
  return [
    `${'messages'.padEnd(width + 2)}${columns}`,
    ...types.map(([type, { sent, received, dropped, bytes }]) => {
      const numbers = [sent, received, dropped, bytes].map((count) => String(count).padStart(9)).join('')
      return `  ${type.padEnd(width)}${numbers}`
    }),
  ]
}

function countLine(name: string, counts: Readonly<Record<string, number>>): string[] {
  const all = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  return all.length === 0 ? [] : [`${name}: ${all.join(', ')}`]
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`
}
