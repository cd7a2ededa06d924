/** Numbers for people. No `Intl`: the same on every machine. */

/** 12 345 678 */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ')
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} kB`
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(2)} GB`
}

/** 1.2 ms */
export function millis(duration: number): string {
  return duration < 1000 ? `${duration.toFixed(1)} ms` : `${(duration / 1000).toFixed(2)} s`
}

/** 01:23.4, from milliseconds */
export function clockTime(elapsed: number): string {
  const tenths = Math.floor(elapsed / 100)
  const minutes = String(Math.floor(tenths / 600)).padStart(2, '0')
  return `${minutes}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`
}

const BARS = '▁▂▃▄▅▆▇█'

/** One character a number, the highest of them full; nothing for 0, so that standing still is seen. */
export function sparkline(numbers: readonly number[]): string {
  const top = Math.max(...numbers, 1)
  return numbers
    .map((number) =>
      number === 0 ? ' ' : (BARS[Math.min(BARS.length - 1, Math.floor((number / top) * BARS.length))] ?? ''),
    )
    .join('')
}
