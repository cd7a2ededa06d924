/** What the diagram's shapes and colours mean, and filters for a first look. */

const SIGNS: readonly (readonly [string, string])[] = [
  ['leader', 'leads (★)'],
  ['candidate', 'campaigns'],
  ['follower', 'follows'],
  ['down', 'down'],
  ['cut', 'cut off'],
  ['vote', 'RequestVote'],
  ['append', 'AppendEntries (pale: heartbeat)'],
  ['snap', 'InstallSnapshot'],
  ['lost', 'lost'],
  ['bad', 'a rule is broken'],
]

const FILTERS: readonly (readonly [string, string])[] = [
  ['all', ''],
  ['no heartbeats', '-heartbeat'],
  ['elections', 'election'],
  ['commits', 'kind=commit'],
  ['faults', 'fault'],
  ['refusals', 'refuse'],
]

export const legend = `<ul id="legend" aria-label="Legend">${SIGNS.map(
  ([name, text]) => `<li><i class="sign ${name}"></i>${text}</li>`,
).join('')}</ul>`

export const quickFilters = `<span id="quick" role="group" aria-label="Filters">${FILTERS.map(
  ([name, filter]) => `<button data-filter="${filter}" aria-pressed="false">${name}</button>`,
).join('')}</span>`

export const legendStyle = `
#quick { display: flex; flex-wrap: wrap; gap: 4px }
button { font: inherit; color: inherit; background: #8882; border: 1px solid #8886; border-radius: 4px; padding: 3px 8px; cursor: pointer }
button[aria-pressed=true] { background: #56b4e955; border-color: #0072b2 }
#verdict.bad { color: #fff; background: #b3001b; border-color: #b3001b; font-weight: 600; text-align: left }
#tip { position: fixed; z-index: 1; max-width: 520px; padding: 4px 8px; border: 1px solid #8888; border-radius: 4px; background: #1d2430; color: #fff; pointer-events: none }
#tip[hidden] { display: none }
#legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0 0 2px; padding: 0; list-style: none }
.sign { display: inline-block; width: 22px; margin-right: 6px; vertical-align: middle; border: 0 solid }
.leader { height: 14px; background: #009e73 }
.candidate { height: 10px; background: #e69f00 }
.follower { height: 6px; background: #8da2b8 }
.down { height: 12px; border: 1px dashed #d55e00 }
.cut { height: 14px; background: #d55e0044 }
.vote { border-top: 2px solid #e69f00 }
.append { border-top: 2px solid #56b4e9 }
.snap { border-top: 2px solid #0072b2 }
.lost { width: auto; color: #d55e00; font-style: normal }
.lost::before { content: '✕' }
.bad.sign { width: 11px; height: 11px; background: #ff0033; transform: rotate(45deg) }
`
