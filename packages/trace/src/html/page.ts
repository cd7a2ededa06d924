/** One page that holds a trace and the program that shows it: opens from a file, and fetches nothing. */
import type { TraceEvent } from '@lab/rpc'
import { legend, quickFilters } from './legend.ts'
import { style } from './style.ts'

/** What stands in the page as JSON. Times are µs from the first event. */
export interface PageData {
  readonly nodes: readonly string[]
  readonly events: readonly TraceEvent[]
}

export interface PageOptions {
  readonly title: string
  readonly data: PageData
  /** The page's program, in one piece: the package's `dist/page.js`. */
  readonly script: string
  /** Of a text, in base 64: the page says which program and style it may use, and no others. */
  readonly sha256: (text: string) => string
}

export function htmlPage({ title, data, script, sha256 }: PageOptions): string {
  const policy = `default-src 'none'; script-src 'sha256-${sha256(script)}'; style-src 'sha256-${sha256(style)}'; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escape(title)}</h1>
<input id="filter" type="search" spellcheck="false" aria-label="Filter" placeholder="term>=4 node=n2,n3 type=AppendEntries -heartbeat after:&quot;crash 1&quot; within:50ms">
${quickFilters}
<span id="hidden" role="status"></span>
<button id="verdict"></button>
<pre id="problem" role="alert"></pre>
</header>
<main>
<canvas id="diagram" role="img" aria-label="The servers as lanes, time from left to right, messages as arrows; the table says the same"></canvas>
<section id="details" aria-label="What the event came of" aria-live="polite"></section>
<div id="table" role="table" aria-label="Events" tabindex="0"></div>
</main>
<div id="tip" role="tooltip" hidden></div>
<footer>${legend}← → events · e elections · f faults · o commits · v broken rules (⇧ back) · c cause · + − zoom · 0 all · / filter · wheel zooms, drag moves</footer>
<script type="application/json" id="data">${jsonForHtml(data)}</script>
<script>${script}</script>
</body>
</html>
`
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** No `<` of the data can end the element that it stands in. */
function jsonForHtml(data: PageData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c')
}
