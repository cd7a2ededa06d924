import { bytes, expectBytes, expectThat, type Case } from './kit.ts'

const never = new AbortController().signal

/** Listening and dialling. */
export const openingCases: readonly Case[] = [
  {
    title: 'a listener tells the complete address that a client dials',
    run: async (t) => {
      const listener = await t.listen(() => undefined)
      const { schemes } = t.under.listen
      expectThat(
        schemes.some((scheme) => listener.address.startsWith(`${scheme}://`)),
        `${listener.address} has none of the schemes ${schemes.join(', ')}`,
      )
      await t.dial(listener.address)
    },
  },
  {
    title: 'port 0 takes a free port, another one each time',
    needs: 'free port',
    run: async (t) => {
      const at = t.under.nextAddress()
      const [one, two] = [await t.listen(() => undefined, at), await t.listen(() => undefined, at)]
      expectThat(!/:0(\/|$)/.test(one.address), `${one.address} still has port 0`)
      expectThat(one.address !== two.address, `both listen at ${one.address}`)
    },
  },
  {
    title: 'both ends name the other in remoteAddress',
    run: async (t) => {
      const { near, far } = await t.pair()
      for (const { channel } of [near, far])
        expectThat(channel.remoteAddress.length > 0, 'a remoteAddress is empty')
    },
  },
  {
    title: 'a second listener at one address fails with ADDRESS_IN_USE, and the first goes on',
    needs: 'address in use',
    run: async (t) => {
      const { near, far, listener } = await t.pair()
      await t.fails(
        t.under.listen.listen(listener.address, () => undefined),
        'ADDRESS_IN_USE',
        'listening where another listens',
      )
      near.send(bytes(4))
      expectBytes((await t.received(far, 1))[0], bytes(4), 'the message to the first listener')
    },
  },
  {
    title: 'dialling where nobody listens fails with UNREACHABLE at once, certainly not executed',
    needs: 'refusal',
    run: async (t) => {
      const listener = await t.listen(() => undefined)
      await listener.close()
      const error = await t.fails(
        t.under.dial.connect(listener.address, never),
        'UNREACHABLE',
        'dialling nobody',
      )
      expectThat(error.executed === 'no', `executed is ${error.executed}`)
    },
  },
  {
    title: 'dialling with a signal that has aborted fails with UNREACHABLE and opens nothing',
    run: async (t) => {
      let accepted = 0
      const listener = await t.listen(() => accepted++)
      await t.fails(
        t.under.dial.connect(listener.address, AbortSignal.abort()),
        'UNREACHABLE',
        'an aborted dial',
      )
      await t.pause()
      expectThat(accepted === 0, 'a channel was opened all the same')
    },
  },
  {
    title: 'a dial that is aborted fails with UNREACHABLE; a channel that was open already stays',
    run: async (t) => {
      const listener = await t.listen(() => undefined)
      const abort = new AbortController()
      const dialling = t.under.dial.connect(listener.address, abort.signal)
      abort.abort()
      await t.fails(dialling, 'UNREACHABLE', 'a dial aborted on its way')
      const late = new AbortController()
      const channel = await t.under.dial.connect(listener.address, late.signal)
      late.abort()
      await t.pause()
      let isClosed = false
      void channel.closed.then(() => {
        isClosed = true
      })
      await t.pause()
      expectThat(!isClosed, 'aborting after the dial closed the channel')
      channel.close()
    },
  },
  {
    title: 'an address that makes no sense fails with BAD_ADDRESS, for dialling and for listening',
    run: async (t) => {
      for (const address of [`${t.under.dial.schemes[0] ?? ''}://`, 'nonsense://x:1', 'not an address']) {
        await t.fails(
          attempt(() => t.under.dial.connect(address, never)),
          'BAD_ADDRESS',
          `dialling ${address}`,
        )
        await t.fails(
          attempt(() => t.under.listen.listen(address, () => undefined)),
          'BAD_ADDRESS',
          `listening at ${address}`,
        )
      }
    },
  },
  {
    title: 'a listener that closes accepts no more and leaves its channels alone',
    run: async (t) => {
      const { near, far, listener } = await t.pair()
      await listener.close()
      near.send(bytes(6))
      far.send(bytes(8))
      expectBytes((await t.received(far, 1))[0], bytes(6), 'the message there')
      expectBytes((await t.received(near, 1))[0], bytes(8), 'the message back')
    },
  },
  {
    title: 'an address is free again once its listener has closed',
    needs: 'address in use',
    run: async (t) => {
      const { listener } = await t.pair()
      await listener.close()
      const again = await t.listen(() => undefined, listener.address)
      await t.dial(again.address)
    },
  },
]

/** A transport may throw where it should reject: for the caller of an async function it is the same. */
async function attempt<T>(run: () => Promise<T>): Promise<T> {
  return run()
}
