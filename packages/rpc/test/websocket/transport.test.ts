import { createServer } from 'node:http'
import { once } from 'node:events'
import { describe, test } from 'vitest'
import { WebSocket } from 'ws'
import { transportSuite } from '../../src/testing/index.ts'
import { webSocket as pageWebSocket } from '../../src/websocket/browser.ts'
import { webSocket } from '../../src/websocket/index.ts'

describe('WebSocket on a port of its own', () => {
  const open = () => {
    const transport = webSocket()
    return { dial: transport, listen: transport, nextAddress: () => 'ws://127.0.0.1:0/' }
  }
  for (const { title, run } of transportSuite({ open })) test(title, run)
})

describe('WebSocket on the app’s HTTP server', () => {
  const open = async () => {
    const server = createServer((_request, response) => response.end('the app'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const transport = webSocket({ server })
    let count = 0
    return {
      dial: transport,
      listen: transport,
      nextAddress: () => `ws://127.0.0.1:0/path${String(++count)}`,
      close() {
        server.close()
        server.closeAllConnections()
      },
    }
  }
  const lacks = { 'free port': 'the server has its port already: listeners differ by their paths' }
  for (const { title, run } of transportSuite({ open, lacks })) test(title, run)
})

describe('WebSocket from a page', () => {
  const open = () => {
    const scope = globalThis as { WebSocket?: unknown }
    scope.WebSocket = WebSocket
    return { dial: pageWebSocket(), listen: webSocket(), nextAddress: () => 'ws://127.0.0.1:0/' }
  }
  const lacks = {
    backpressure: 'a page goes on reading its WebSocket whatever we say: what comes is held here',
  }
  for (const { title, run } of transportSuite({ open, lacks })) test(title, run)
})
