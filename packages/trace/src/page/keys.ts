import type { TraceEvent } from '@lab/rpc'

export interface Keys {
  readonly step: (by: 1 | -1, is?: (event: TraceEvent) => boolean) => void
  readonly cause: () => void
  /** To the next event that broke a rule, or the previous one. */
  readonly violation: (by: 1 | -1) => void
  readonly zoom: (factor: number) => void
  readonly fit: () => void
  readonly filter: () => void
}

/** Everything that the mouse can do, and jumps. With the shift key: backwards. */
export function onKeys(keys: Keys): void {
  window.addEventListener('keydown', (press) => {
    if (press.target instanceof HTMLInputElement) {
      if (press.key === 'Escape') press.target.blur()
      return
    }
    if (press.ctrlKey || press.metaKey || press.altKey) return
    const action = actionOf(keys, press)
    if (action === undefined) return
    press.preventDefault()
    action()
  })
}

function actionOf(keys: Keys, { key, shiftKey }: KeyboardEvent): (() => void) | undefined {
  const by = shiftKey ? -1 : 1
  switch (key.toLowerCase()) {
    case 'arrowright':
    case 'arrowdown':
      return () => keys.step(1)
    case 'arrowleft':
    case 'arrowup':
      return () => keys.step(-1)
    case 'e':
      return () => keys.step(by, ({ k, role }) => k === 'role' && role === 'leader')
    case 'f':
      return () => keys.step(by, ({ k }) => k === 'fault' || k === 'stop' || k === 'drop')
    case 'o':
      return () => keys.step(by, ({ k }) => k === 'commit')
    case 'v':
      return () => keys.violation(by)
    case 'c':
      return keys.cause
    case '+':
    case '=':
      return () => keys.zoom(0.7)
    case '-':
      return () => keys.zoom(1.4)
    case 'home':
    case '0':
      return keys.fit
    case '/':
      return keys.filter
    default:
      return undefined
  }
}
