import { bytes, expectBytes, expectThat, type Case } from './kit.ts'

/** How channels end. */
export const closingCases: readonly Case[] = [
  {
    title: 'an orderly close is seen at both ends, without an error',
    run: (t) =>
      t.bothWays(async (from, to) => {
        from.channel.close()
        expectThat((await t.ended(to)) === undefined, 'the other end saw an error')
        expectThat((await t.ended(from)) === undefined, 'the closing end saw an error')
      }),
  },
  {
    title: 'what was sent before an orderly close arrives, before the end',
    run: (t) =>
      t.bothWays(async (from, to) => {
        for (let i = 0; i < 500; i++) from.send(bytes(2000, i))
        from.channel.close()
        await t.ended(to)
        expectThat(
          to.messages.length === 500,
          `${String(to.messages.length)} of 500 messages came before the end`,
        )
        expectBytes(to.messages[499], bytes(2000, 499), 'the last message')
      }),
  },
  {
    title: 'an orderly close while the network is full still delivers everything, and then ends',
    run: (t) =>
      t.bothWays(async (from, to) => {
        to.channel.pause()
        for (let i = 0; i < 40; i++) from.send(bytes(256 * 1024, i))
        await t.pause(20)
        from.send(bytes(12))
        from.channel.close()
        await t.pause(20)
        to.channel.resume()
        await t.soon(to.channel.closed, 'the end', 5_000)
        expectThat(
          to.messages.length === 41,
          `${String(to.messages.length)} of 41 messages came before the end`,
        )
        expectBytes(to.messages[40], bytes(12), 'the last message')
      }),
  },
  {
    title: 'a close with an error ends both sides; the closing one sees its own error',
    run: (t) =>
      t.bothWays(async (from, to) => {
        const error = new Error('enough')
        from.channel.close(error)
        expectThat((await t.ended(from)) === error, 'the closing end saw another error than its own')
        await t.ended(to)
      }),
  },
  {
    title: 'closing twice, and closing what the other end has closed, does nothing',
    run: (t) =>
      t.bothWays(async (from, to) => {
        from.channel.close()
        from.channel.close()
        await t.ended(to)
        to.channel.close()
        to.channel.close(new Error('too late'))
        expectThat((await t.ended(to)) === undefined, 'a late close changed how the channel had ended')
        await t.ended(from)
      }),
  },
  {
    title: 'both ends may close at once',
    run: async (t) => {
      const { near, far } = await t.pair()
      near.channel.close()
      far.channel.close()
      await t.ended(near)
      await t.ended(far)
    },
  },
  {
    title: 'sending after the end does nothing and throws nothing',
    run: (t) =>
      t.bothWays(async (from, to) => {
        from.channel.close()
        from.send(bytes(5))
        await t.ended(to)
        to.send(bytes(5))
        await t.pause()
        expectThat(
          to.messages.length === 0 && from.messages.length === 0,
          'a message was delivered after the close',
        )
      }),
  },
  {
    title: 'after closed nothing more arrives',
    run: (t) =>
      t.bothWays(async (from, to) => {
        let late = 0
        void to.channel.closed.then(() => {
          late = -to.messages.length
        })
        for (let i = 0; i < 200; i++) from.send(bytes(5000, i))
        await t.received(to, 1)
        to.channel.close(new Error('no more'))
        await t.ended(to)
        const before = to.messages.length
        await t.pause()
        expectThat(
          to.messages.length + late === 0 && to.messages.length === before,
          'a message arrived after closed',
        )
      }),
  },
  {
    title: 'drained resolves when the channel ends',
    run: (t) =>
      t.bothWays(async (from, to) => {
        to.channel.pause()
        for (let i = 0; i < 64; i++) from.send(bytes(256 * 1024))
        const drained = from.channel.drained()
        from.channel.close(new Error('enough'))
        await t.soon(drained, 'draining')
        to.channel.resume()
        await t.ended(to)
      }),
  },
  {
    title: 'the end of one channel leaves the others alone',
    run: async (t) => {
      const one = await t.pair()
      const other = await t.pair()
      one.near.channel.close(new Error('enough'))
      await t.ended(one.far)
      other.near.send(bytes(9))
      expectBytes((await t.received(other.far, 1))[0], bytes(9), 'the message on the other channel')
    },
  },
  {
    title: 'a limit on messages lets those up to it pass and ends the channel on a longer one',
    run: (t) =>
      t.bothWays(async (from, to) => {
        if (to.channel.limitMessages === undefined) return
        to.channel.limitMessages(1000)
        from.send(bytes(1000), bytes(1001), bytes(1))
        const error = await t.ended(to)
        expectThat(to.messages.length === 1, `${String(to.messages.length)} messages came instead of one`)
        expectThat(
          (error as { code?: string } | undefined)?.code === 'PROTOCOL',
          `it ended with ${String(error)}`,
        )
        await t.ended(from)
      }),
  },
]
