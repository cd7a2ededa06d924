/** A local socket that says who holds it: what both kinds of lock are made of. */
import { connect, createServer, type Server } from 'node:net'
import { DiskError, type DiskLock } from '../disk.ts'
import { systemCode } from './disk-error.ts'

/** How long to wait for the holder to say who it is, in milliseconds. It is only for the message. */
const ASK_HOLDER_MS = 250

/** Listens at `path` until released; whoever connects is told the process id and dismissed. */
export function listen(path: string): Promise<DiskLock> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.unref()
      socket.end(`${String(process.pid)}\n`, () => {
        socket.destroy()
      })
    })
    server.once('error', reject)
    // Exclusive: a worker of node:cluster would otherwise share its primary's socket, and so the lock.
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject)
      server.on('error', () => undefined)
      server.unref()
      resolve({
        release: () =>
          new Promise((released) => {
            server.close(() => {
              released()
            })
          }),
      })
    })
  })
}

/** What the holder says: its process id; '' when it answers nothing in time; null when nobody listens. */
export function askHolder(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(path)
    socket.setTimeout(ASK_HOLDER_MS, () => {
      socket.destroy()
      resolve(said.trim())
    })
    socket.on('data', (chunk: Buffer) => (said += chunk.toString('latin1').slice(0, 20)))
    socket.on('end', () => {
      socket.destroy()
      resolve(said.trim())
    })
    socket.on('error', (error) => {
      socket.destroy()
      const code = systemCode(error)
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT' ? null : said.trim())
    })
  })
}

export function lockedBy(directory: string, holder: string | null, cause: unknown): DiskError {
  const who = holder === null || holder === '' ? 'another process' : `process ${holder}`
  return new DiskError(
    'LOCKED',
    `${directory} is in use by ${who}: stop it first, or give this one a folder of its own`,
    { cause },
  )
}
