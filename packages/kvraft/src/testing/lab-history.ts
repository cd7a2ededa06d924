/** What the clients of a lab called and saw, in one history. */
import { toError, type Clock, type TraceSink } from '@lab/rpc'
import { History, checkLinearizable, kvModel, type KvOp, type KvResult, type Operation } from '@lab/sim'
import type { LabClerk } from './lab-interface.ts'

export interface LabHistoryOptions {
  readonly clock: Clock
  readonly trace: TraceSink | undefined
  /** A clerk tries until it has an answer; one that throws has a bug. */
  readonly onError: (error: Error) => void
}

/** A missing key is the empty text to the labs. */
const model = { ...kvModel, init: () => '' }

export class LabHistory {
  readonly #history: History<KvOp, KvResult>
  readonly #onError: (error: Error) => void

  constructor({ clock, trace, onError }: LabHistoryOptions) {
    this.#onError = onError
    this.#history = new History<KvOp, KvResult>(clock, {
      called: ({ client, id, op }) => void trace?.({ n: client, k: 'call', id, ...op }),
      returned: ({ client, id, outcome, result }) =>
        void trace?.({ n: client, k: 'return', id, outcome, result }),
    })
  }

  /** In the order in which they were called. */
  get operations(): readonly Operation<KvOp, KvResult>[] {
    return this.#history.operations
  }

  /** The clerk, all that it does taken down as the client's. */
  recorded(client: string, clerk: LabClerk): LabClerk {
    const record = async (op: KvOp, perform: () => Promise<KvResult>): Promise<KvResult> => {
      let got: KvResult = null
      await this.#history.record(
        client,
        op,
        async () => (got = await perform()),
        (thrown) => {
          this.#onError(toError(thrown))
          return 'unknown'
        },
      )
      return got
    }
    return {
      get: async (key) => String(await record({ op: 'get', key }, () => clerk.get(key))),
      put: async (key, value) => {
        await record({ op: 'put', key, value }, () => clerk.put(key, value).then(() => null))
      },
      append: async (key, value) => {
        await record({ op: 'append', key, value }, () => clerk.append(key, value).then(() => null))
      },
    }
  }

  /** @returns what no single store could have answered, in words; null when one could have answered all */
  contradiction(): string | null {
    const { verdict, counterExample, undecided } = checkLinearizable(model, this.operations)
    if (verdict === 'unknown') return `nobody can tell of the keys ${undecided.join(', ')}`
    if (counterExample === null) return null
    const lines = counterExample.operations.map(
      ({ client, op, result }) => `${client}: ${model.describe?.(op, result) ?? ''}`,
    )
    return `no order explains ${['', ...lines].join('\n    ')}`
  }
}
