import type { Socket } from 'node:net'

/** What is written until the end of this turn leaves together. */
export function corkTurn(socket: Socket): void {
  if (socket.writableCorked > 0) return
  socket.cork()
  process.nextTick(() => {
    socket.uncork()
  })
}
