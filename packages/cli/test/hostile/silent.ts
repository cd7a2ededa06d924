/** Connections that say nothing, many of them at once. */
import { createConnection, type Socket } from 'node:net'
import { Clerk } from '@lab/kvraft/clerk'
import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'
import { expect } from 'vitest'
import type { Target } from './target.ts'

const AT_A_TIME = 200

/** Opens `count`, keeps them for as long as the server does, and looks that it goes on serving whoever speaks. */
export async function expectServiceDespite(target: Target, scheme: string, count: number): Promise<number> {
  const rssBefore = await target.metric('process_resident_memory_bytes')
  const sockets: Socket[] = []
  for (let opened = 0; opened < count; opened += AT_A_TIME)
    sockets.push(...(await Promise.all(Array.from({ length: AT_A_TIME }, () => silent(target, scheme)))))
  const rss = (await target.metric('process_resident_memory_bytes')) - rssBefore
  // Not those that were there before only: one that comes now is let in too, at the port that they hold as at another.
  for (const own of new Set(['tcp', scheme])) {
    const transports = [tcp({ tls: { ca: target.ca } }), webSocket({ tls: { ca: target.ca } })]
    const servers = [`${own}://127.0.0.1:${String(target.ports[own])}`]
    const clerk = await Clerk.connect({ servers, transports, connectTimeout: 20_000, timeout: 20_000 })
    await clerk.put('late', 'still served')
    expect(await clerk.getText('late')).toBe('still served')
    await clerk.close()
  }
  for (const socket of sockets) socket.destroy()
  await expect.poll(() => target.metric('lab_rpc_connections'), { timeout: 20_000 }).toBe(1)
  return rss
}

function silent({ ports }: Target, scheme: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = createConnection({ port: ports[scheme] ?? 0, host: '127.0.0.1' })
    socket.on('error', () => resolve(socket))
    socket.once('connect', () => resolve(socket))
  })
}
