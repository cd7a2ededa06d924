import { legendStyle } from './legend.ts'

export const style = `
:root { color-scheme: light dark }
* { box-sizing: border-box }
body { margin: 0; height: 100vh; display: grid; grid-template-rows: auto 1fr auto; font: 13px/1.4 system-ui, sans-serif; background: #fff; color: #1d2430 }
header { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; padding: 8px 12px }
h1 { font-size: 15px; margin: 0 }
#filter { flex: 1; min-width: 240px; font: 13px ui-monospace, monospace; padding: 5px 8px }
#problem { flex-basis: 100%; margin: 0; color: #d55e00; white-space: pre }
#problem:empty { display: none }
main { display: grid; grid-template: 3fr 2fr / 1fr 1fr; min-height: 0; gap: 1px }
#diagram { grid-column: 1 / 3; width: 100%; height: 100%; min-height: 0; touch-action: none; cursor: crosshair }
#details, #table { overflow: auto; min-height: 0; border-top: 1px solid #8885; padding: 6px }
#details { border-right: 1px solid #8885 }
#details button { display: block; width: 100%; text-align: left; font: inherit; background: none; border: 0; color: inherit; padding: 2px 4px; cursor: pointer; white-space: pre-wrap }
#details button:hover, #details button:focus-visible, [role=row]:hover, [aria-selected=true] { background: #56b4e944 }
#details button:first-of-type { font-weight: 600 }
#details pre { opacity: .75; white-space: pre-wrap }
.broken { color: #d00000; font-weight: 600 }
[role=row] { display: flex; gap: 10px; height: 22px; white-space: nowrap; cursor: pointer; font: 12px/22px ui-monospace, monospace }
[role=cell]:nth-child(1) { min-width: 56px; text-align: right }
[role=cell]:nth-child(2) { min-width: 66px; text-align: right }
[role=cell]:nth-child(3) { min-width: 32px }
footer { padding: 4px 12px; opacity: .85; font-size: 12px }
${legendStyle}
@media (prefers-color-scheme: dark) { body { background: #14181f; color: #dfe6ee } }
`
