import { bytes, expectBytes, expectThat, type Case } from './kit.ts'

const SIZES = [
  0, 1, 2, 3, 4, 5, 255, 256, 1023, 4096, 65_531, 65_532, 65_533, 65_536, 65_537, 262_140, 262_145,
]
const LARGE_SIZES = [1 << 20, 3_000_001, (5 << 20) + 1]

/** What is sent is what arrives. */
export const messageCases: readonly Case[] = [
  {
    title: 'messages of all sizes arrive whole and in order, both ways',
    run: (t) =>
      t.bothWays(async (from, to) => {
        from.send(...SIZES.map((size) => bytes(size)))
        const got = await t.received(to, SIZES.length)
        SIZES.forEach((size, i) => {
          expectBytes(got[i], bytes(size), `the message of ${String(size)} bytes`)
        })
      }),
  },
  {
    title: 'messages of several megabytes arrive whole, small ones between them in order',
    needs: 'large messages',
    run: (t) =>
      t.bothWays(async (from, to) => {
        for (const size of LARGE_SIZES) from.send(bytes(size), bytes(3))
        const got = await t.received(to, 2 * LARGE_SIZES.length)
        LARGE_SIZES.forEach((size, i) => {
          expectBytes(got[2 * i], bytes(size), `the message of ${String(size)} bytes`)
          expectBytes(got[2 * i + 1], bytes(3), 'the small message after it')
        })
      }),
  },
  {
    title: 'the sender may reuse its buffer as soon as send returns',
    run: (t) =>
      t.bothWays(async (from, to) => {
        const buffer = new Uint8Array(1000)
        for (let i = 0; i < 100; i++) from.send(buffer.fill(i))
        buffer.fill(255)
        const got = await t.received(to, 100)
        for (let i = 0; i < 100; i++)
          expectBytes(got[i], new Uint8Array(1000).fill(i), `message ${String(i)}`)
      }),
  },
  {
    title: 'a received message stays as it was while others arrive',
    run: (t) =>
      t.bothWays(async (from, to) => {
        const sizes = Array.from({ length: 200 }, (_, i) => (i * 7919) % 5000)
        for (const size of sizes) {
          from.send(bytes(size))
          if (size % 10 === 0) await t.pause(0)
        }
        const got = await t.received(to, sizes.length)
        sizes.forEach((size, i) => {
          expectBytes(got[i], bytes(size), `message ${String(i)}`)
        })
      }),
  },
  {
    title: 'many messages cross in both directions at once, each in order',
    run: async (t) => {
      const { near, far } = await t.pair()
      const count = 20_000
      for (let i = 0; i < count; i++) {
        near.send(bytes(20, i))
        far.send(bytes(30, i))
        if (i % 1000 === 999) await t.pause(0)
      }
      const [there, back] = [await t.received(far, count), await t.received(near, count)]
      for (let i = 0; i < count; i += 97) {
        expectBytes(there[i], bytes(20, i), `message ${String(i)} there`)
        expectBytes(back[i], bytes(30, i), `message ${String(i)} back`)
      }
    },
  },
  {
    title: 'nothing arrives within the call of send',
    run: (t) =>
      t.bothWays(async (from, to) => {
        from.send(bytes(10))
        expectThat(to.messages.length === 0, 'the message arrived within send')
        await t.received(to, 1)
      }),
  },
  {
    title: 'the end that accepted may speak first',
    run: async (t) => {
      const { near, far } = await t.pair()
      far.send(bytes(7))
      expectBytes((await t.received(near, 1))[0], bytes(7), 'the greeting')
    },
  },
  {
    title: 'many channels to one listener do not mix their messages',
    run: async (t) => {
      const pairs = await Promise.all(Array.from({ length: 20 }, () => t.pair()))
      pairs.forEach(({ near, far }, i) => {
        for (let j = 0; j < 50; j++) {
          near.send(bytes(16, i * 1000 + j))
          far.send(bytes(16, i * 1000 + j + 500))
        }
      })
      for (const [i, { near, far }] of pairs.entries()) {
        const [there, back] = [await t.received(far, 50), await t.received(near, 50)]
        for (let j = 0; j < 50; j++) {
          expectBytes(there[j], bytes(16, i * 1000 + j), `message ${String(j)} of channel ${String(i)}`)
          expectBytes(
            back[j],
            bytes(16, i * 1000 + j + 500),
            `message ${String(j)} back on channel ${String(i)}`,
          )
        }
      }
    },
  },
  {
    title: 'a receiver that pauses is sent nothing more until it resumes',
    run: (t) =>
      t.bothWays(async (from, to) => {
        from.send(bytes(1))
        await t.received(to, 1)
        to.channel.pause()
        await t.pause()
        from.send(bytes(2))
        await t.pause()
        const early = to.messages.length
        to.channel.resume()
        expectBytes((await t.received(to, 2))[1], bytes(2), 'the message after resume')
        // What had been read already may still arrive: with nothing read, nothing may.
        expectThat(early === 1, 'a message arrived at a receiver that had paused')
      }),
  },
  {
    title: 'bufferedBytes grows while the receiver pauses, and drained waits until it has read',
    needs: 'backpressure',
    run: (t) =>
      t.bothWays(async (from, to) => {
        to.channel.pause()
        const [count, size] = [64, 256 * 1024]
        for (let i = 0; i < count; i++) from.send(bytes(size, i))
        let isDrained = false
        const drained = from.channel.drained().then(() => {
          isDrained = true
        })
        await t.pause()
        expectThat(from.channel.bufferedBytes > 1 << 20, 'little is buffered although nobody reads')
        expectThat(!isDrained, 'drained resolved although nobody reads')
        to.channel.resume()
        await t.soon(drained, 'draining')
        const got = await t.received(to, count)
        for (let i = 0; i < count; i++) expectBytes(got[i], bytes(size, i), `message ${String(i)}`)
        expectThat(from.channel.bufferedBytes < 1 << 20, 'much is buffered although everything was read')
      }),
  },
  {
    title:
      'what is sent while earlier messages wait for the network arrives after them, with nothing to push it',
    run: (t) =>
      t.bothWays(async (from, to) => {
        to.channel.pause()
        for (let i = 0; i < 40; i++) from.send(bytes(256 * 1024, i))
        await t.pause(20)
        from.send(bytes(10), bytes(300_000), bytes(11))
        await t.pause(20)
        to.channel.resume()
        const got = await t.received(to, 43)
        expectBytes(got[40], bytes(10), 'the first message after')
        expectBytes(got[42], bytes(11), 'the last message')
      }),
  },
  {
    title: 'drained resolves at once when nothing is buffered',
    run: async (t) => {
      const { near, far } = await t.pair()
      await t.soon(near.channel.drained(), 'draining the dialler')
      await t.soon(far.channel.drained(), 'draining the listener')
    },
  },
]
