export { tcp, type TcpOptions } from './transport.ts'
