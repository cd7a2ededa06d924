import type { Row } from './benchmark.ts'

/** Rows as lines of aligned columns, numbers to the right, the header first. */
export function tableLines(rows: readonly Row[]): string[] {
  const columns = Object.keys(rows[0] ?? {})
  const cells = [columns, ...rows.map((row) => columns.map((column) => show(row[column])))]
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => (line[at] ?? '').length)))
  const numeric = columns.map((column) => rows.every((row) => typeof row[column] === 'number'))
  return cells.map((line) =>
    line
      .map((cell, at) =>
        numeric[at] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** 70123 → `70 123`, 1.2345 → `1.23`: three digits say enough, large numbers are grouped. */
function show(value: string | number | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (Math.abs(value) >= 100) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ')
  return String(Number(value.toPrecision(3)))
}
