import type { Called, Model } from './model.ts'

/** Operations on a key/value store; keys and values are texts, a missing key is null. */
export type KvOp =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'put'; readonly key: string; readonly value: string }
  | { readonly op: 'append'; readonly key: string; readonly value: string }
  | { readonly op: 'delete'; readonly key: string }
  | { readonly op: 'cas'; readonly key: string; readonly expected: string | null; readonly value: string }

/** Of a get, the value or null; of a cas, whether it wrote; of others, nothing that matters. */
export type KvResult = string | boolean | null

export const kvModel: Model<string | null, KvOp, KvResult> = {
  name: 'kv',
  key: ({ key }) => key,
  init: () => null,
  step(state, op, result) {
    switch (op.op) {
      case 'get':
        return result === undefined || result === state ? { state } : null
      case 'put':
        return { state: op.value }
      case 'append':
        return { state: (state ?? '') + op.value }
      case 'delete':
        return { state: null }
      case 'cas': {
        const writes = state === op.expected
        if (result !== undefined && result !== writes) return null
        return { state: writes ? op.value : state }
      }
    }
  },
  stateKey: (state) => (state === null ? '' : `=${state}`),
  isRead: ({ op }) => op === 'get',
  removable({ op, result }, others) {
    switch (op.op) {
      case 'get':
        return true
      case 'cas':
        return result === false
      case 'put':
      case 'append':
        return op.value !== '' && !others.some((other) => sees(other, op.value))
      case 'delete':
        return false
    }
  },
  describe(op, result) {
    switch (op.op) {
      case 'get':
        return `get ${op.key} → ${JSON.stringify(result ?? null)}`
      case 'put':
      case 'append':
        return `${op.op} ${op.key} ${JSON.stringify(op.value)}`
      case 'delete':
        return `delete ${op.key}`
      case 'cas':
        return `cas ${op.key} ${JSON.stringify(op.expected)} → ${JSON.stringify(op.value)}: ${String(result)}`
    }
  },
}

/** Could `other` tell that `value` was written? A read can when it holds it; a cas that wrote, when it expected it. */
function sees({ op, result }: Called<KvOp, KvResult>, value: string): boolean {
  if (op.op === 'get') return typeof result === 'string' && result.includes(value)
  return op.op === 'cas' && (result !== true || (op.expected ?? '').includes(value))
}
