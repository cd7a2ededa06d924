export { webSocket } from './transport.ts'
export type { HttpServer, WebSocketOptions } from './options.ts'
