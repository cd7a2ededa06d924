import { toError } from '@lab/rpc'
import { RaftError } from './errors.ts'
import type { Term } from './types.ts'

/** What a task of {@link RaftNode.whileLeader} is given. */
export interface LeaderContext {
  /** The fencing token: greater than that of every earlier leader. Hand it to whatever the task writes to, which refuses smaller ones. */
  readonly term: Term
  /** Aborts when this node no longer leads. */
  readonly signal: AbortSignal
}

export type LeaderWork = (context: LeaderContext) => Promise<void> | void

/**
 * Work that runs while this node leads: begun when it has been elected and its own first entry is applied, called off when it
 * no longer leads, begun again when it is elected again. Never twice at a time on this node.
 *
 * Awaiting it waits until it is stopped or the node closes; it rejects when the work threw while it was not called off.
 */
export class LeaderTask implements PromiseLike<void> {
  readonly #work: LeaderWork
  readonly #done: Promise<void>
  #finish: (error?: Error) => void = () => {}
  #running: { readonly controller: AbortController; readonly ended: Promise<void> } | null = null
  /** The term to begin in, once what runs has ended; null while not leading. */
  #term: Term | null = null
  #ended = false
  readonly #onEnd: (task: LeaderTask) => void

  constructor(work: LeaderWork, onEnd: (task: LeaderTask) => void) {
    this.#work = work
    this.#onEnd = onEnd
    this.#done = new Promise((resolve, reject) => {
      this.#finish = (error) => (error === undefined ? resolve() : reject(error))
    })
  }

  then<A = void, B = never>(
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#done.then(onFulfilled, onRejected)
  }

  /** Calls the work off, if it runs, and never begins it again. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.lost('stopped')
    const ended = this.#running?.ended
    this.#end()
    await ended
  }

  /** Driver: this node leads in `term`, and has applied an entry of it. */
  elected(term: Term): void {
    if (this.#ended || this.#term === term) return
    this.#term = term
    if (this.#running === null) this.#begin(term)
    else this.#running.controller.abort(lostOffice('elected again'))
  }

  /** Driver: this node does not lead. */
  lost(why: string): void {
    this.#term = null
    this.#running?.controller.abort(lostOffice(why))
  }

  #begin(term: Term): void {
    const controller = new AbortController()
    const ended = this.#run(term, controller.signal).then(() => this.#next(term))
    this.#running = { controller, ended }
  }

  async #run(term: Term, signal: AbortSignal): Promise<void> {
    try {
      await this.#work({ term, signal })
    } catch (thrown) {
      // Called off, it may end by throwing, the signal's reason or what it got on the way.
      if (!signal.aborted) this.#end(toError(thrown))
    }
  }

  /** The work of `term` is over: the next begins if there has been another election meanwhile. */
  #next(term: Term): void {
    this.#running = null
    if (this.#term !== null && this.#term !== term && !this.#ended) this.#begin(this.#term)
  }

  #end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd(this)
    this.#finish(error)
  }
}

function lostOffice(why: string): RaftError {
  return new RaftError('LEADERSHIP_LOST', `this node no longer leads: ${why}`)
}
