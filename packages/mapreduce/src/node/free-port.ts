/** By number: that a name is no IPv6 address takes Node 10 ms to find out. */
const LOOPBACK = '127.0.0.1'

/** A port of this machine alone, as an address to listen at. */
export function freePort(scheme: 'tcp' | 'ws'): string {
  return `${scheme}://${LOOPBACK}:0`
}
