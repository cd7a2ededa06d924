/** By number: that a name is no IPv6 address takes Node 10 ms to find out. */
const LOOPBACK = '127.0.0.1'

/** A port of this machine alone. @param like an address, or a scheme, of the transport */
export function freePortLike(like: string): string {
  return `${like.startsWith('ws') ? 'ws' : 'tcp'}://${LOOPBACK}:0`
}
