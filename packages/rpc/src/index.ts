export { systemClock, sleep, type Clock, type Milliseconds, type Timer } from './clock.ts'
export { systemRandom, seededRandom, type Random } from './random.ts'
export { DiskError, type Disk, type DiskFile, type DiskLock, type DiskOpenOptions } from './disk.ts'
export { RpcError, ProtocolError, assert, toError, type RpcErrorCode, type Executed } from './errors.ts'
export type { Address, Transport, Listener, Channel } from './transport.ts'
export {
  TRACE_VERSION,
  type TraceEvent,
  type TraceFields,
  type TraceHeader,
  type TraceKind,
  type TraceSink,
} from './trace.ts'
export { ByteReader, ByteWriter } from './bytes.ts'
export { bytesCodec, type Codec } from './codec.ts'
