/** The status page, in one piece. All that comes from a job is set as text, never as markup. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MapReduce</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --line: #8884; --done: #2a9d5c; --run: #e0a020; --backup: #c05ad0; --bad: #d04040 }
  body { font: 14px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem }
  h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1rem; margin: 1.5rem 0 .3rem }
  progress { width: 100%; height: 1rem }
  .grid { font: 13px/1 monospace; letter-spacing: 2px; word-break: break-all }
  .idle { opacity: .3 } .done { color: var(--done) } .running { color: var(--run) } .backup { color: var(--backup) }
  table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid var(--line) }
  .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
  .bar { background: var(--done); height: .7rem; min-width: 1px }
  pre { white-space: pre-wrap; margin: .3rem 0; padding: .5rem; border-left: 3px solid var(--bad); background: #8881 }
  .empty { display: none }
</style>
<h1 id="title">…</h1>
<p id="summary" role="status"></p>
<progress id="fraction" max="1" value="0" aria-label="done"></progress>
<h2>Map <small id="map-count"></small></h2><div class="grid" id="map-grid" role="img"></div>
<h2>Reduce <small id="reduce-count"></small></h2><div class="grid" id="reduce-grid" role="img"></div>
<p><span class="idle">■</span> idle <span class="running">■</span> running <span class="backup">■</span> with a backup <span class="done">■</span> done</p>
<section id="failures"><h2>Failed attempts</h2><div></div></section>
<section id="slowest"><h2>Running longest</h2><table><thead><tr><th>task<th>worker<th class="number">time<th class="number">done<th>says</thead><tbody></tbody></table></section>
<section id="counters"><h2>Counters</h2><table><tbody></tbody></table></section>
<section id="partitions"><h2>Bytes per partition</h2><table><tbody></tbody></table></section>
<section id="workers"><h2>Workers</h2><table><tbody></tbody></table></section>
<script>
'use strict'
const at = (id) => document.getElementById(id)
const NAMES = { '.': 'idle', r: 'running', b: 'backup', d: 'done' }
const PARTITIONS_MAX = 64

function element(tag, text, name) {
  const made = document.createElement(tag)
  made.textContent = text
  if (name) made.className = name
  return made
}
function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  for (; count >= 1000 && unit < units.length - 1; unit++) count /= 1000
  return (unit === 0 ? count : count.toFixed(1)) + ' ' + units[unit]
}
function time(ms) {
  const seconds = ms / 1000
  return seconds < 90 ? seconds.toFixed(1) + ' s' : seconds < 5400 ? (seconds / 60).toFixed(1) + ' min' : (seconds / 3600).toFixed(1) + ' h'
}
// Neighbours that are alike are one element: a job may have a hundred thousand tasks.
function grid(id, { grid, completed, tasks }) {
  const runs = grid.match(/(.)\\1*/g) || []
  at(id + '-grid').replaceChildren(...runs.map((run) => element('span', '■'.repeat(run.length), NAMES[run[0]])))
  at(id + '-grid').setAttribute('aria-label', completed + ' of ' + tasks + ' ' + id + ' tasks done')
  at(id + '-count').textContent = completed + ' of ' + tasks
}
function rows(id, lines) {
  at(id).className = lines.length === 0 ? 'empty' : ''
  at(id).querySelector('tbody').replaceChildren(...lines.map((cells) => {
    const row = document.createElement('tr')
    row.append(...cells.map((cell) => {
      if (cell instanceof Node) { const held = element('td', ''); held.style.width = '70%'; held.append(cell); return held }
      return typeof cell === 'number' ? element('td', cell.toLocaleString('en'), 'number') : element('td', cell)
    }))
    return row
  }))
}
function bar(size, most) {
  const made = element('div', '', 'bar')
  made.style.width = (most === 0 ? 0 : (100 * size) / most) + '%'
  return made
}
// The largest ones: skew is what to look for.
function partitions(sizes) {
  const most = Math.max(0, ...sizes)
  const largest = sizes.map((size, partition) => ({ size, partition })).sort((a, b) => b.size - a.size).slice(0, PARTITIONS_MAX)
  rows('partitions', largest.map(({ size, partition }) => [partition, bytes(size), bar(size, most)]))
}
function show(status) {
  const { job, state, fraction, elapsedMs, inputBytes, epoch, skipped } = status
  document.title = Math.floor(100 * fraction) + ' % ' + job
  at('title').textContent = job + ': ' + state
  const rate = inputBytes.read / Math.max(elapsedMs, 1)
  at('summary').textContent = [
    Math.floor(100 * fraction) + ' %', time(elapsedMs), bytes(inputBytes.read) + ' of ' + bytes(inputBytes.total), bytes(1000 * rate) + '/s',
    ...(fraction > 0.02 && fraction < 1 ? [time((elapsedMs * (1 - fraction)) / fraction) + ' left'] : []),
    ...(epoch > 1 ? ['coordinator started ' + epoch + ' times'] : []), ...(skipped > 0 ? [skipped + ' bad records left out'] : []),
  ].join(' · ')
  at('fraction').value = fraction
  grid('map', status.map)
  grid('reduce', status.reduce)
  partitions(status.partitionBytes)
  rows('slowest', status.slowest.map((one) => [one.kind + ' ' + one.task + ', attempt ' + one.attempt, one.worker, time(one.runningMs), Math.floor(100 * one.fraction) + ' %', one.status]))
  rows('counters', Object.entries(status.counters))
  rows('workers', status.workers.map((one) => [one.id, one.host + ' pid ' + one.pid, one.running + ' of ' + one.slots + ' slots at work']))
  at('failures').className = status.failures.length === 0 ? 'empty' : ''
  at('failures').querySelector('div').replaceChildren(...status.failures.map(({ text }) => element('pre', text)).reverse())
}
const events = new EventSource('/events')
events.onmessage = ({ data }) => {
  const status = JSON.parse(data)
  if (status === null) return
  show(status)
  if (status.state !== 'running') events.close()
}
events.onerror = () => { at('summary').textContent += ' · no connection to the coordinator' }
</script>
</html>
`
