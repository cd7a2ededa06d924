/** The calling side as users see it: one method per method of the service. */
import { RpcError } from './errors.ts'
import type { UnaryOptions } from './link.ts'
import type {
  Methods,
  NamedMethod,
  NotificationMethod,
  Service,
  StreamMethod,
  UnaryMethod,
} from './service.ts'
import type { StreamReader } from './stream-reader.ts'
import { onAbort } from './on-abort.ts'

/** What a client needs of a link. */
export interface Caller {
  call(method: NamedMethod, request: unknown, options?: UnaryOptions<never>): Promise<unknown>
  notify(method: NamedMethod, message: unknown): void
  openStream(method: NamedMethod, request: unknown, signal?: AbortSignal): Promise<StreamReader>
}

export interface StreamOptions {
  /** Ends the stream. */
  readonly signal?: AbortSignal
}

type CallerOf<T> =
  T extends UnaryMethod<infer Request, infer Response>
    ? undefined extends Request
      ? (request?: Request, options?: UnaryOptions<Response>) => Promise<Response>
      : (request: Request, options?: UnaryOptions<Response>) => Promise<Response>
    : T extends StreamMethod<infer Request, infer Item>
      ? undefined extends Request
        ? (request?: Request, options?: StreamOptions) => AsyncIterable<Item>
        : (request: Request, options?: StreamOptions) => AsyncIterable<Item>
      : T extends NotificationMethod<infer Message>
        ? (message: Message) => void
        : never

/**
 * Calls of a service. A unary call fails with an `RpcError` whose `executed` says whether the handler ran; a stream is
 * opened anew by each loop over it; a notification is dropped while there is no connection.
 */
export type Client<M extends Methods> = { readonly [K in keyof M]: CallerOf<M[K]> } & { close(): void }

/** Typed calls over a link. */
export function clientOf<M extends Methods>(
  service: Service<M>,
  caller: Caller,
  close: () => void,
): Client<M> {
  const client: Record<string, unknown> = { close }
  for (const [key, method] of service.named) client[key] = callerOf(method, caller)
  return client as Client<M>
}

function callerOf(method: NamedMethod, caller: Caller): unknown {
  switch (method.method.kind) {
    case 'unary':
      return (request: unknown, options?: UnaryOptions<never>) => caller.call(method, request, options)
    case 'stream':
      return (request: unknown, options?: StreamOptions): AsyncIterable<unknown> => ({
        [Symbol.asyncIterator]: () => new LazyStream(method, request, caller, options?.signal),
      })
    case 'notification':
      return (message: unknown) => {
        caller.notify(method, message)
      }
  }
}

/** Opens a stream with the first item asked for, so that one that nobody reads costs nothing. */
class LazyStream implements AsyncIterator<unknown> {
  readonly #open: () => Promise<StreamReader>
  readonly #signal: AbortSignal | undefined
  readonly #label: string
  #reader: Promise<StreamReader> | undefined
  #isOver = false

  constructor(method: NamedMethod, request: unknown, caller: Caller, signal: AbortSignal | undefined) {
    this.#open = () => caller.openStream(method, request, signal)
    this.#signal = signal
    this.#label = method.label
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (this.#isOver) return { done: true, value: undefined }
    const reader = await (this.#reader ??= this.#start())
    try {
      const result = await reader.next()
      if (result.done === true) this.#stop()
      return result
    } catch (error) {
      this.#stop()
      throw error
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.#stop()
    const reader = await this.#reader?.catch(() => undefined)
    return reader === undefined ? { done: true, value: undefined } : reader.return()
  }

  async #start(): Promise<StreamReader> {
    const reader = await this.#open()
    if (this.#isOver) void reader.return()
    const cancel = (): void => {
      reader.fail(
        new RpcError('CANCELLED', `${this.#label}: cancelled by the caller`, { executed: 'unknown' }),
      )
    }
    if (this.#signal?.aborted === true) cancel()
    else if (this.#signal !== undefined) this.#stopListening = onAbort(this.#signal, cancel)
    return reader
  }

  #stop(): void {
    this.#isOver = true
    this.#stopListening()
  }

  #stopListening: () => void = () => undefined
}
