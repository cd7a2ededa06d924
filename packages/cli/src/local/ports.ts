import { createServer, type AddressInfo, type Server } from 'node:net'

/** Free ports of this machine's loopback, all different. Somebody else may take one before it is used: then starting fails and says so. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held before any is let go, or the system might hand out one twice.
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(closed))
  return ports
}

function listenAnywhere(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      resolve(server)
    })
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
  })
}
