import type { Called, Model } from './model.ts'

/** Operations on registers, by key; values are texts. A compare-and-set returns whether it wrote. */
export type RegisterOp =
  | { readonly op: 'read'; readonly key: string }
  | { readonly op: 'write'; readonly key: string; readonly value: string }
  | { readonly op: 'cas'; readonly key: string; readonly expected: string | null; readonly value: string }

/** Of a read, the value or null; of a write, nothing that matters; of a cas, whether it wrote. */
export type RegisterResult = string | boolean | null

/** Registers that hold null at first. */
export const registerModel: Model<string | null, RegisterOp, RegisterResult> = {
  name: 'register',
  key: ({ key }) => key,
  init: () => null,
  step(state, op, result) {
    switch (op.op) {
      case 'read':
        return result === undefined || result === state ? { state } : null
      case 'write':
        return { state: op.value }
      case 'cas': {
        const writes = state === op.expected
        if (result !== undefined && result !== writes) return null
        return { state: writes ? op.value : state }
      }
    }
  },
  stateKey: (state) => (state === null ? '' : `=${state}`),
  isRead: ({ op }) => op === 'read',
  removable({ op, result }, others) {
    if (op.op === 'read') return true
    if (op.op === 'cas') return result === false
    return !others.some((other) => sees(other, op.value))
  },
  describe: (op, result) => {
    const { op: name, key } = op
    if (name === 'read') return `read ${key} → ${String(result)}`
    if (name === 'write') return `write ${key} = ${op.value}`
    return `cas ${key} ${String(op.expected)} → ${op.value}: ${String(result)}`
  },
}

/** Would `other` have gone another way had `value` never been written? */
function sees({ op, result }: Called<RegisterOp, RegisterResult>, value: string): boolean {
  if (op.op === 'read') return result === value
  // One that failed may have failed because of this very value.
  return op.op === 'cas' && (op.expected === value || result !== true)
}
