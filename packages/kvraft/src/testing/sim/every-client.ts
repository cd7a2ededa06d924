/** What a client of the scenario `kv-all` is, and how it does what it is told. */
import { RaftClient } from '@lab/raft'
import { clientOptions } from '@lab/raft/testing/sim'
import { sleep, type Clock } from '@lab/rpc'
import type { SimProcess } from '@lab/sim'
import { Clerk, type Entry, type OperationResult, type WatchEvent } from '../../clerk.ts'
import { valueText } from '../../text.ts'
import type { EveryOp, EveryResult, TextEntry, Told, TxnText } from './every-op.ts'

/** How long a clerk tries. */
const options = { timeout: 1000 }
/** All keys. */
const RANGE = { prefix: '' }

export class EveryClient {
  readonly #clerk: Clerk
  readonly #operator: RaftClient
  readonly #clock: Clock
  /** What each `cas` found before it was sent; none: it was not sent. */
  readonly #found: WeakMap<EveryOp, TextEntry | null>

  private constructor(
    clerk: Clerk,
    operator: RaftClient,
    { clock, found }: { readonly clock: Clock; readonly found: WeakMap<EveryOp, TextEntry | null> },
  ) {
    this.#clerk = clerk
    this.#operator = operator
    this.#clock = clock
    this.#found = found
  }

  static async connect(
    host: SimProcess,
    addresses: readonly string[],
    found: WeakMap<EveryOp, TextEntry | null>,
  ): Promise<EveryClient> {
    const clerk = await Clerk.connect(clientOptions(host, addresses))
    const operator = await RaftClient.connect({ ...clientOptions(host, addresses), role: 'admin' })
    return new EveryClient(clerk, operator, { clock: host.clock, found })
  }

  async perform(op: EveryOp): Promise<EveryResult> {
    const clerk = this.#clerk
    switch (op.op) {
      case 'get': {
        const { revision, entry } = await clerk.getEntry(op.key, options)
        return { revision, entry: textEntry(entry) }
      }
      case 'put':
        return clerk.put(op.key, op.value, { ...options, ...(op.ttl === undefined ? {} : { ttl: op.ttl }) })
      case 'append':
        return clerk.append(op.key, op.value, options)
      case 'delete':
        return clerk.delete(op.key, options)
      case 'cas':
        return this.#cas(op)
      case 'scan': {
        const { revision, entries, next } = await clerk.scan(RANGE, { ...options, limit: op.limit })
        const page = entries.map(({ key, ...entry }) => [valueText(key), toText(entry)] as const)
        return { revision, page, more: next !== null }
      }
      case 'txn': {
        const { revision, succeeded, results } = await clerk.txn(op, options)
        return { revision, succeeded, results: results.map(textResult) }
      }
      case 'watch':
        return this.#watch(op)
      case 'transfer':
        await this.#operator.transferLeadership(op.to ?? undefined, options)
        return null
      case 'demote':
      case 'promote':
        await this.#reshape(op.op === 'demote' ? op.node : null)
        return null
    }
  }

  async #cas(op: EveryOp & { readonly op: 'cas' }): Promise<EveryResult> {
    const found = textEntry((await this.#clerk.getEntry(op.key, options)).entry)
    this.#found.set(op, found)
    const expected = found === null ? { version: 0 } : { changed: found.changed }
    const { revision, swapped } = await this.#clerk.cas(op.key, op.value, expected, options)
    return { revision, swapped, found }
  }

  async #watch({ from, forMs }: EveryOp & { readonly op: 'watch' }): Promise<EveryResult> {
    const stop = new AbortController()
    const after =
      from === 'start' ? 0 : from === 'now' ? null : (await this.#clerk.scan(RANGE, options)).revision
    let revision = after ?? 0
    const told: Told[] = []
    void sleep(this.#clock, forMs).then(() => {
      stop.abort()
    })
    const onProgress = (through: number): void => {
      revision = Math.max(revision, through)
    }
    const watch = this.#clerk.watch(RANGE, {
      ...{ onProgress, signal: stop.signal },
      ...(after === null ? {} : { after }),
    })
    try {
      for await (const event of watch) told.push(textEvent(event, this.#clock.now()))
    } catch (thrown) {
      if (!stop.signal.aborted) throw thrown
    }
    return { revision: Math.max(revision, told.at(-1)?.revision ?? 0), after, told }
  }

  /** Never fewer than two voters: what is under test is the change, not a cluster of one. */
  async #reshape(demoted: string | null): Promise<void> {
    const { membership } = await this.#operator.membership(options)
    const { voters, learners } = membership
    if (demoted === null) {
      if (learners.length > 0) await this.#operator.changeMembership({ promote: learners }, options)
    } else if (voters.length > 2 && voters.includes(demoted))
      await this.#operator.changeMembership({ demote: [demoted] }, options)
  }
}

function textEntry(entry: Entry | null): TextEntry | null {
  return entry === null ? null : toText(entry)
}

function toText({ value, version, changed }: Entry): TextEntry {
  return { value: valueText(value), version, changed }
}

function textResult(result: OperationResult): TxnText {
  if (result.status === 'got') return { got: textEntry(result.entry) }
  return result.status === 'written' ? result.version : null
}

function textEvent({ type, revision, version, key, value }: WatchEvent, at: number): Told {
  return { type, revision, version, key: valueText(key), value: valueText(value), at }
}
