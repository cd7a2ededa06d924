/** What the cases of the transport suite are written with. */
import { sleep, type Clock } from '../../clock.ts'
import { RpcError, toError, type RpcErrorCode } from '../../errors.ts'
import type { Address, Channel, Listener, Transport } from '../../transport.ts'

/** The transport under test, opened for one case. */
export interface TransportUnderTest {
  /** The end that dials. */
  readonly dial: Transport
  /** The end that listens: the same object, unless the two live apart. */
  readonly listen: Transport
  /** Where to listen next: an address that nobody holds. Its port may be 0. */
  nextAddress(): Address
  /** Called after the case, whatever came of it. */
  close?(): void | Promise<void>
}

/** Things that a transport may be unable to do, if it says why. */
export type Ability =
  /** Port 0 takes a free port. */
  | 'free port'
  /** A dial to where nobody listens fails at once instead of when its signal aborts. */
  | 'refusal'
  /** Two listeners at one address: the second fails with `ADDRESS_IN_USE`. */
  | 'address in use'
  /** A receiver that pauses makes the sender's `bufferedBytes` grow. */
  | 'backpressure'
  /** Messages of several megabytes. */
  | 'large messages'

export interface Case {
  readonly title: string
  readonly needs?: Ability
  readonly run: (t: Kit) => Promise<void>
}

/** Longest that a case waits for something that should come soon. */
const SOON_MS = 10_000

/** A channel's end with everything that came out of it. */
export class End {
  readonly channel: Channel
  readonly messages: Uint8Array[] = []
  /** How the channel ended, once it has. */
  end: { readonly error: Error | undefined } | undefined
  #onChange: () => void = () => undefined

  constructor(channel: Channel) {
    this.channel = channel
    channel.receive((message) => {
      this.messages.push(message)
      this.#onChange()
    })
    void channel.closed.then((end) => {
      this.end = end
      this.#onChange()
    })
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const message of messages) this.channel.send(message)
  }

  /** Resolves when `until` holds, looked at on every message and at the end. */
  when(until: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = () => {
        if (until()) resolve()
      }
      this.#onChange()
    })
  }
}

export interface Pair {
  readonly near: End
  readonly far: End
  readonly listener: Listener
}

/** One case's tools. What it opened is closed by {@link Kit.cleanUp}. */
export class Kit {
  readonly under: TransportUnderTest
  readonly #clock: Clock
  readonly #channels: Channel[] = []
  readonly #listeners: Listener[] = []

  constructor(under: TransportUnderTest, clock: Clock) {
    this.under = under
    this.#clock = clock
  }

  async listen(accept: (channel: Channel) => void, at = this.under.nextAddress()): Promise<Listener> {
    const listener = await this.soon(
      this.under.listen.listen(at, (channel) => {
        this.#channels.push(channel)
        accept(channel)
      }),
      `listening at ${at}`,
    )
    this.#listeners.push(listener)
    return listener
  }

  async dial(to: Address): Promise<Channel> {
    const channel = await this.soon(
      this.under.dial.connect(to, new AbortController().signal),
      `connecting to ${to}`,
    )
    this.#channels.push(channel)
    return channel
  }

  /** A channel with both its ends at hand. */
  async pair(): Promise<Pair> {
    let accept: (end: End) => void = () => undefined
    const accepted = new Promise<End>((resolve) => {
      accept = resolve
    })
    const listener = await this.listen((channel) => {
      accept(new End(channel))
    })
    const near = new End(await this.dial(listener.address))
    return { near, far: await this.soon(accepted, 'the listener accepting'), listener }
  }

  /** Runs a case's body from the end that dialled to the other, then the other way round, on a channel each. */
  async bothWays(body: (from: End, to: End) => Promise<void>): Promise<void> {
    const there = await this.pair()
    await body(there.near, there.far)
    const back = await this.pair()
    await body(back.far, back.near)
  }

  async received(end: End, count: number): Promise<readonly Uint8Array[]> {
    await this.soon(
      end.when(() => end.messages.length >= count || end.end !== undefined),
      `${String(count)} messages (${String(end.messages.length)} came)`,
    )
    const why = end.end?.error === undefined ? '' : `: ${end.end.error.message}`
    expectThat(
      end.messages.length >= count,
      `${String(end.messages.length)} of ${String(count)} messages came before the end${why}`,
    )
    return end.messages
  }

  async ended(end: End): Promise<Error | undefined> {
    return (await this.soon(end.channel.closed, 'the channel ending')).error
  }

  /** Fails when `promise` takes too long. */
  async soon<T>(promise: Promise<T>, what: string, limitMs = SOON_MS): Promise<T> {
    const late = new AbortController()
    const limit = sleep(this.#clock, limitMs, late.signal).then(
      () => {
        throw new Error(`${what} did not happen within ${String(limitMs)} ms`)
      },
      () => undefined as never,
    )
    try {
      return await Promise.race([promise, limit])
    } finally {
      late.abort()
    }
  }

  /** Gives what should not happen a chance to. */
  pause(ms = 50): Promise<void> {
    return sleep(this.#clock, ms)
  }

  async fails(promise: Promise<unknown>, code: RpcErrorCode, what: string): Promise<RpcError> {
    const error = await this.soon(promise, what).then(
      () => undefined,
      (thrown: unknown) => toError(thrown),
    )
    expectThat(error !== undefined, `${what} should fail with ${code}`)
    expectThat(
      error instanceof RpcError && error.code === code,
      `${what} should fail with ${code}, not: ${String(error)}`,
    )
    return error
  }

  async cleanUp(): Promise<void> {
    for (const channel of this.#channels) channel.close()
    for (const listener of this.#listeners) await listener.close()
    await this.under.close?.()
  }
}

/** `length` bytes that tell `seed` and their place. */
export function bytes(length: number, seed = length): Uint8Array {
  const made = new Uint8Array(length)
  // 256 places on, every byte of the pattern is one more: each seed begins at a place of its own.
  const from = ((seed * 31) & 0xff) << 8
  for (let at = 0; at < length; at += PATTERN_BYTES)
    made.set(PATTERN.subarray(from, from + Math.min(PATTERN_BYTES, length - at)), at)
  return made
}

const PATTERN_BYTES = 65_536
/** Twice, so that it is whole from wherever one begins. */
const PATTERN = Uint8Array.from({ length: 2 * PATTERN_BYTES }, (_, i) => i * 7 + (i >>> 8))

export function expectThat(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence)
}

export function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  expectThat(actual !== undefined, `${what} is missing`)
  expectThat(
    actual.length === expected.length,
    `${what} has ${String(actual.length)} bytes, not ${String(expected.length)}`,
  )
  for (let at = 0; at < expected.length; at++)
    if (actual[at] !== expected[at]) throw new Error(`${what} differs at byte ${String(at)}`)
}
