/** A transport whose channels are slow: each has so many bytes a millisecond for itself, in order. It sees what is sent. */
import type { Channel, Clock, Transport } from '@lab/rpc'

export interface NarrowOptions {
  readonly clock: Clock
  /** May change as it goes. */
  readonly line: { bytesPerMs: number }
  /** Told of each message that leaves; it may change its bytes. */
  readonly onSend?: (message: Uint8Array) => void
}

export function narrow(inner: Transport, options: NarrowOptions): Transport {
  return {
    schemes: inner.schemes,
    connect: async (to, signal) => slow(await inner.connect(to, signal), options),
    listen: (at, accept) =>
      inner.listen(at, (channel) => {
        accept(slow(channel, options))
      }),
  }
}

function slow(channel: Channel, { clock, line, onSend }: NarrowOptions): Channel {
  let free = 0
  let queued = 0
  const send = (message: Uint8Array): void => {
    const copy = message.slice()
    onSend?.(copy)
    free = Math.max(free, clock.now()) + copy.length / line.bytesPerMs
    queued += copy.length
    clock.setTimer(free - clock.now(), () => {
      queued -= copy.length
      channel.send(copy)
    })
  }
  return new Proxy(channel, {
    get(target, name): unknown {
      if (name === 'send') return send
      if (name === 'bufferedBytes') return queued + target.bufferedBytes
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
