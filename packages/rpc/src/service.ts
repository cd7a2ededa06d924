/** What a service offers, described once for both ends: the names of its methods, and how their values become bytes. */
import { jsonCodec, type Codec } from './codec.ts'
import { RpcError } from './errors.ts'
import type { PeerInfo } from './handshake.ts'
import type { RpcRole } from './messages.ts'

/** One request, one reply. */
export interface UnaryMethod<Request, Response> {
  readonly kind: 'unary'
  readonly request: Codec<Request>
  readonly response: Codec<Response>
  /** What a request says, for the trace; asked only while somebody traces. */
  readonly describe?: ((request: Request) => TraceSaid) | undefined
}

/** One request, any number of items from the server. */
export interface StreamMethod<Request, Item> {
  readonly kind: 'stream'
  readonly request: Codec<Request>
  readonly item: Codec<Item>
}

/** One message, no reply: it arrives at most once, and the sender never learns whether. */
export interface NotificationMethod<Message> {
  readonly kind: 'notification'
  readonly message: Codec<Message>
  /** What a message says, for the trace; asked only while somebody traces. */
  readonly describe?: ((message: Message) => TraceSaid) | undefined
}

/** Fields for the trace; `type` takes the place of the method's label. */
export type TraceSaid = Readonly<Record<string, unknown>>

// `never` and `unknown` would not infer: a method's codec uses its type both ways.
export type AnyMethod =
  UnaryMethod<unknown, unknown> | StreamMethod<unknown, unknown> | NotificationMethod<unknown>

export type Methods = Readonly<Record<string, { readonly kind: AnyMethod['kind'] }>>

/** A method of a service under its wire number. */
export interface NamedMethod {
  /** `service.method`, for messages and traces. */
  readonly label: string
  /** What stands for it on the wire: a hash of the label. */
  readonly number: number
  readonly method: AnyMethod
}

export interface Service<M extends Methods = Methods> {
  readonly name: string
  readonly methods: M
  readonly named: ReadonlyMap<string, NamedMethod>
}

export function unary<Request = undefined, Response = undefined>(
  options: Partial<Omit<UnaryMethod<Request, Response>, 'kind'>> = {},
): UnaryMethod<Request, Response> {
  return {
    kind: 'unary',
    request: options.request ?? jsonCodec<Request>(),
    response: options.response ?? jsonCodec<Response>(),
    describe: options.describe,
  }
}

export function stream<Request = undefined, Item = undefined>(
  codecs: { readonly request?: Codec<Request>; readonly item?: Codec<Item> } = {},
): StreamMethod<Request, Item> {
  return {
    kind: 'stream',
    request: codecs.request ?? jsonCodec<Request>(),
    item: codecs.item ?? jsonCodec<Item>(),
  }
}

export function notification<Message = undefined>(
  options: Partial<Pick<NotificationMethod<Message>, 'message' | 'describe'>> = {},
): NotificationMethod<Message> {
  const { message = jsonCodec<Message>(), describe } = options
  return { kind: 'notification', message, describe }
}

/** What a client object has of its own: no method may be called so. */
const RESERVED = ['close', 'then']

/**
 * Describes a service; both ends import the same description.
 *
 * @example
 * const Greeter = service('greeter', {
 *   hello: unary<{ name: string }, string>(),
 *   ticks: stream<{ n: number }, number>(),
 *   note: notification<Uint8Array>({ message: bytesCodec }),
 * })
 */
export function service<M extends Methods>(name: string, methods: M): Service<M> {
  const named = new Map<string, NamedMethod>()
  for (const [key, method] of Object.entries(methods)) {
    if (RESERVED.includes(key)) throw new RpcError('BAD_REQUEST', `a method cannot be called ${key}`)
    const label = `${name}.${key}`
    named.set(key, { label, number: hash(label), method: method as AnyMethod })
  }
  return { name, methods, named }
}

/** FNV-1a: a method's number does not depend on the others of its service. A server refuses two labels of one number. */
function hash(label: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** What a handler knows of the call it answers. */
export interface CallContext {
  /** Aborts when nobody waits for the answer any more: cancelled, past its deadline, or disconnected. */
  readonly signal: AbortSignal
  readonly peer: PeerInfo
  /** On the scale of the server's clock; Infinity when the caller waits for ever. */
  readonly deadline: number
  /** The largest response, and part of one, that this caller and this server both take, in bytes. */
  readonly responseBytesMax: number
  /**
   * Of a unary call: sends some of the response ahead of the rest, to a caller that gave `onPart`. Where the network loses or reorders
   * messages it may never get there, so whoever asks must be able to do without.
   *
   * @throws {Error} when it does not fit a message
   */
  part(value: unknown): void
}

type HandlerOf<T> =
  T extends UnaryMethod<infer Request, infer Response>
    ? (request: Request, ctx: CallContext) => Response | Promise<Response>
    : T extends StreamMethod<infer Request, infer Item>
      ? (request: Request, ctx: CallContext) => AsyncIterable<Item> | Iterable<Item>
      : T extends NotificationMethod<infer Message>
        ? (message: Message, ctx: CallContext) => void | Promise<void>
        : never

/** One function per method. What a unary handler throws fails the call with `HANDLER_FAILED`; its `code` and `details` travel along. */
export type Handlers<M extends Methods> = { readonly [K in keyof M]: HandlerOf<M[K]> }

export interface ImplementOptions {
  /** Who may call. Default: everybody. */
  readonly roles?: readonly RpcRole[]
}

/** The parts of {@link Implementation} that a server calls, their types erased. */
export type AnyHandler = (request: unknown, ctx: CallContext) => unknown

/** A service with its handlers, to be given to `serve`. */
export interface Implementation {
  readonly service: { readonly name: string; readonly named: ReadonlyMap<string, NamedMethod> }
  readonly handlers: ReadonlyMap<string, AnyHandler>
  readonly roles: readonly RpcRole[] | undefined
}

export function implement<M extends Methods>(
  service: Service<M>,
  handlers: Handlers<M>,
  options: ImplementOptions = {},
): Implementation {
  const bound = new Map<string, AnyHandler>()
  for (const key of service.named.keys()) {
    const handler = handlers[key] as AnyHandler | undefined
    if (handler === undefined) throw new RpcError('BAD_REQUEST', `no handler for ${service.name}.${key}`)
    // A class instance may bring the handlers: they keep their `this`.
    bound.set(key, handler.bind(handlers))
  }
  return { service, handlers: bound, roles: options.roles }
}

/** What a request or a notification says, for the trace: its label, and what its method makes of it. */
export function saidBy({ label, method }: NamedMethod, body: Uint8Array): TraceSaid {
  if (method.kind === 'stream' || method.describe === undefined) return { type: label }
  const codec = method.kind === 'unary' ? method.request : method.message
  try {
    return { type: label, ...method.describe(codec.decode(body)) }
  } catch {
    // Whoever handles it will say what is wrong with it.
    return { type: label }
  }
}
