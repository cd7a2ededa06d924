/** The messages of the protocol as values; their bytes are in protocol.ts. */
import type { Executed, RpcErrorCode } from './errors.ts'

/** What an end is to the other: a member of the same cluster, somebody who uses it, somebody who runs it. */
export type RpcRole = 'peer' | 'client' | 'admin'

export interface Hello {
  readonly version: number
  readonly role: RpcRole
  readonly clusterId: string
  readonly nodeId: string
  readonly incarnation: string
  readonly token: string
  /** Largest body that the client takes. */
  readonly messageBytesMax: number
}

export interface Welcome {
  readonly version: number
  readonly role: RpcRole
  readonly clusterId: string
  readonly nodeId: string
  readonly incarnation: string
  readonly connectionId: string
  /** Largest body that the server takes. */
  readonly messageBytesMax: number
}

/** An error on the wire; '' where there is nothing to say. `details` is JSON. */
export interface WireError {
  readonly code: RpcErrorCode
  readonly executed: Executed
  readonly message: string
  readonly remoteCode: string
  readonly details: string
}

export type Message =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'refuse'; readonly error: WireError }
  | RequestMessage
  | ResponseMessage
  | PartMessage
  | { readonly kind: 'failure'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'cancel'; readonly id: number }
  | NotifyMessage
  | OpenMessage
  | ItemMessage
  | { readonly kind: 'end'; readonly id: number; readonly count: number }
  | { readonly kind: 'credit'; readonly id: number; readonly total: number }
  | { readonly kind: 'query'; readonly id: number; readonly total: number }
  | { readonly kind: 'status'; readonly id: number; readonly sent: number }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'goaway'; readonly error: WireError }

export interface RequestMessage {
  readonly kind: 'request'
  readonly id: number
  readonly method: number
  /** Milliseconds that the caller still waits; 0 means for ever. */
  readonly timeout: number
  readonly body: Uint8Array
}
export interface ResponseMessage {
  readonly kind: 'response'
  readonly id: number
  readonly body: Uint8Array
}
/** Some of a response, ahead of the rest. */
export interface PartMessage {
  readonly kind: 'part'
  readonly id: number
  readonly body: Uint8Array
}
export interface NotifyMessage {
  readonly kind: 'notify'
  readonly method: number
  readonly body: Uint8Array
}
export interface OpenMessage {
  readonly kind: 'open'
  readonly id: number
  readonly method: number
  /** Bytes of items that may be sent, in all: see {@link itemCost}. */
  readonly credit: number
  readonly body: Uint8Array
}
export interface ItemMessage {
  readonly kind: 'item'
  readonly id: number
  /** 1 for the first item of the stream. */
  readonly sequence: number
  readonly body: Uint8Array
}
