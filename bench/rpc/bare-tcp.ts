/** The least that TCP costs: frames behind their length, one write for all that one chunk caused. */
import { connect, createServer, type AddressInfo } from 'node:net'
import { closedLoop, PAYLOAD, type Echo } from './echo.ts'

const HEADER_BYTES = 4

/** Calls `onFrame` for every whole frame of the stream, and `onChunkEnd` behind the last of each chunk. */
function frameReader(onFrame: (frame: Buffer) => void, onChunkEnd: () => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt32LE(at)
      if (end > bytes.length) break
      onFrame(bytes.subarray(at, end))
      at = end
    }
    rest = bytes.subarray(at)
    onChunkEnd()
  }
}

/** Collects frames and hands them on as one buffer. */
class Batch {
  #bytes = Buffer.allocUnsafe(64 * 1024)
  #length = 0

  add(frame: Uint8Array): void {
    if (this.#length + frame.length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2)
    this.#bytes.set(frame, this.#length)
    this.#length += frame.length
  }

  take(): Buffer | undefined {
    if (this.#length === 0) return undefined
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return taken
  }
}

export const bareTcp: Echo = {
  async serve() {
    const server = createServer({ noDelay: true }, (socket) => {
      const replies = new Batch()
      const flush = (): void => {
        const bytes = replies.take()
        if (bytes !== undefined) socket.write(bytes)
      }
      socket.on(
        'data',
        frameReader((frame) => replies.add(frame), flush),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  },

  async dial(address) {
    const [host, port] = address.split(':')
    const socket = connect({ host: host ?? '', port: Number(port), noDelay: true })
    await new Promise((resolve) => socket.once('connect', resolve))
    const request = Buffer.alloc(HEADER_BYTES + PAYLOAD.length)
    request.writeUInt32LE(PAYLOAD.length)
    request.set(PAYLOAD, HEADER_BYTES)
    const requests = new Batch()
    const flush = (): void => {
      const bytes = requests.take()
      if (bytes !== undefined) socket.write(bytes)
    }
    let onReply = (): boolean => false
    const onFrame = (): void => {
      if (onReply()) requests.add(request)
    }
    socket.on('data', frameReader(onFrame, flush))
    return {
      run: (inFlight, millis) =>
        closedLoop(inFlight, millis, (reply) => {
          onReply = reply
          for (let i = 0; i < inFlight; i++) requests.add(request)
          flush()
        }),
      close: () => socket.destroy(),
    }
  },
}
