/** Addresses for servers that must know each other before they start. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** `{ n1: 'localhost:40001', … }`: each id with a port that is free now. An address without a scheme suits every transport. */
export async function freeAddresses(ids: readonly string[]): Promise<Record<string, string>> {
  const servers = ids.map(() => createServer().listen(0))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return Object.fromEntries(ids.map((id, i) => [id, `localhost:${ports[i] ?? 0}`]))
}
