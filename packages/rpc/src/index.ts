export { onAbort } from './on-abort.ts'
export { WaitList, type Place } from './wait-list.ts'
export { systemClock, sleep, type Clock, type Milliseconds, type Timer } from './clock.ts'
export { systemRandom, seededRandom, type Random } from './random.ts'
export { DiskError, type Disk, type DiskFile, type DiskLock, type DiskOpenOptions } from './disk.ts'
export { RpcError, ProtocolError, assert, toError, type RpcErrorCode, type Executed } from './errors.ts'
export type { Address, Certificate, Transport, Listener, Channel } from './transport.ts'
export {
  TRACE_VERSION,
  type TraceEvent,
  type TraceFields,
  type TraceHeader,
  type TraceKind,
  type TraceSink,
} from './trace.ts'
export { ByteReader, ByteWriter, afterVarint } from './bytes.ts'
export { viewOn } from './view-on.ts'
export { bytesCodec, jsonCodec, type Codec } from './codec.ts'
export {
  implement,
  notification,
  service,
  stream,
  unary,
  type CallContext,
  type Handlers,
  type Implementation,
  type ImplementOptions,
  type Methods,
  type NotificationMethod,
  type Service,
  type StreamMethod,
  type TraceSaid,
  type UnaryMethod,
} from './service.ts'
export { serve, Server, type ServeOptions } from './server.ts'
export type { ServerMetrics } from './server-counters.ts'
export type { AdmissionOptions } from './admission.ts'
export { connect, type ConnectOptions } from './connect.ts'
export type { Client, StreamOptions } from './client.ts'
export {
  openLink,
  Link,
  type CallOptions,
  type LinkOptions,
  type LinkState,
  type UnaryOptions,
  type WaitOptions,
} from './link.ts'
export type { ReconnectOptions } from './backoff.ts'
export {
  HandshakeRefused,
  tokensOf,
  type LocalIdentity,
  type PeerInfo,
  type RoleTokens,
  type TokenCheck,
} from './handshake.ts'
export type { RpcRole } from './messages.ts'
export { defaultLimits, type Limits } from './limits.ts'
export { formatAddress, isLoopback, parseAddress, pickTransport, type ParsedAddress } from './address.ts'
export { FrameDecoder, writeFrame, FRAME_HEADER_BYTES } from './frame.ts'
