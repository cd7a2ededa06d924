import { stateMachine, type JsonStateMachine } from '../../src/index.ts'

export type Appender = JsonStateMachine<{ items: string[] }, string, number, 'length' | 'all', unknown>

/** Keeps all items; refuses `forbidden`; answers with how many there are. */
export function appender(): Appender {
  return stateMachine<{ items: string[] }, string, number, 'length' | 'all'>({
    initial: { items: [] },
    apply(state, item) {
      if (item === 'forbidden') throw Object.assign(new Error('not this one'), { code: 'FORBIDDEN' })
      return state.items.push(item)
    },
    query: (state, what) => (what === 'length' ? state.items.length : state.items),
  })
}

/** What it rejects with; null when it does not. */
export function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  )
}
