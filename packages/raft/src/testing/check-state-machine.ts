import { toError, type Codec } from '@lab/rpc'
import type { ApplyContext, StateMachine } from '../state-machine.ts'
import { watchForbidden } from './forbidden.ts'

export interface CheckStateMachineOptions<M extends StateMachine> {
  /** Makes a fresh machine, as a server does that starts. */
  readonly make: () => M
  /** Applied in this order. Some dozens that touch everything find most faults. */
  readonly commands: readonly Parameters<M['apply']>[0][]
  /** Of commands and results. Default: JSON. */
  readonly codec?: Codec<unknown>
}

/** What breaks the contract of {@link StateMachine}, with the command at which it showed. */
export class StateMachineFault extends Error {
  override readonly name = 'StateMachineFault'
}

const TERM = 1
const TIME_MS = 1_700_000_000_000

/**
 * Looks for what makes replicas diverge: results, states or errors that differ between two machines that applied the same; a clock or
 * randomness used in `apply`; a throw that leaves something behind; a snapshot that changes while commands are applied, or that
 * does not restore to the same machine.
 *
 * @throws {StateMachineFault} for the first fault found
 */
export async function checkStateMachine<M extends StateMachine>(
  options: CheckStateMachineOptions<M>,
): Promise<void> {
  const check = new Check(options)
  check.sameResults()
  await check.throwsLeaveNothing()
  await check.snapshotsAreFrozen()
  await check.restoredGoesOnTheSame()
}

class Check<M extends StateMachine> {
  readonly #make: () => M
  readonly #commands: readonly unknown[]
  readonly #codec: Codec<unknown>

  constructor({ make, commands, codec = jsonText }: CheckStateMachineOptions<M>) {
    this.#make = make
    this.#commands = commands
    this.#codec = codec
  }

  /** Two machines, the same commands: the same results, and no look at clock or chance. */
  sameResults(): void {
    const one = this.#make()
    const two = this.#make()
    this.#commands.forEach((_command, at) => {
      const first = watchForbidden(
        () => this.#apply(one, at),
        (used) =>
          fault(at, `apply uses ${used}: take the time from the context, and chance from the command`),
      )
      const second = this.#apply(two, at)
      if (first !== second) throw fault(at, `two machines give different results: ${first} and ${second}`)
      if (one.hash !== undefined && one.hash() !== two.hash?.())
        throw fault(at, 'two machines have different hashes')
    })
  }

  /** A command that throws must leave the state as it was. */
  async throwsLeaveNothing(): Promise<void> {
    const machine = this.#make()
    if (machine.snapshot === undefined) return
    for (let at = 0; at < this.#commands.length; at++) {
      const before = await collect(machine.snapshot())
      const result = this.#apply(machine, at)
      if (!result.startsWith(THREW)) continue
      if (!same(before, await collect(machine.snapshot())))
        throw fault(at, 'apply threw, but changed the state before it did')
    }
  }

  /** What a snapshot yields is the state of the moment in which it was begun. */
  async snapshotsAreFrozen(): Promise<void> {
    const machine = this.#make()
    if (machine.snapshot === undefined) return
    const middle = Math.floor(this.#commands.length / 2)
    for (let at = 0; at < middle; at++) this.#apply(machine, at)
    const expected = await collect(machine.snapshot())
    const drawing = begin(machine.snapshot())
    for (let at = middle; at < this.#commands.length; at++) this.#apply(machine, at)
    if (!same(expected, await drawing()))
      throw fault(middle, 'a snapshot changes with the commands applied while it is drawn')
  }

  /** A machine restored half-way gives the same results afterwards, however the snapshot's bytes are cut. */
  async restoredGoesOnTheSame(): Promise<void> {
    const original = this.#make()
    if (original.snapshot === undefined || original.restore === undefined) return
    const middle = Math.floor(this.#commands.length / 2)
    for (let at = 0; at < middle; at++) this.#apply(original, at)
    const bytes = await collect(original.snapshot())
    for (const size of [1, 7, Math.max(1, bytes.length)]) {
      const restored = this.#make()
      // Something to be replaced: restore must not add to what is there.
      for (let at = 0; at < this.#commands.length; at++) this.#apply(restored, at)
      await restored.restore?.(cut(bytes, size))
      this.#compare(original, restored, bytes, middle, size)
      if (restored.snapshot !== undefined && !same(bytes, await collect(restored.snapshot())))
        throw fault(middle, `restored from chunks of ${size} bytes, a machine gives another snapshot`)
    }
    await this.#goesOn(bytes, middle)
  }

  #compare(original: M, restored: M, bytes: Uint8Array, at: number, size: number): void {
    if (original.hash === undefined || original.hash() === restored.hash?.()) return
    throw fault(at, `restored from ${bytes.length} bytes in chunks of ${size}, a machine has another hash`)
  }

  async #goesOn(bytes: Uint8Array, middle: number): Promise<void> {
    const original = this.#make()
    for (let at = 0; at < middle; at++) this.#apply(original, at)
    const restored = this.#make()
    await restored.restore?.(cut(bytes, bytes.length))
    for (let at = middle; at < this.#commands.length; at++) {
      const first = this.#apply(original, at)
      const second = this.#apply(restored, at)
      if (first !== second) throw fault(at, `a restored machine gives another result: ${first} and ${second}`)
    }
  }

  /** As the log does: decoded anew for each machine, a throw being a result. */
  #apply(machine: M, at: number): string {
    const context: ApplyContext = { index: at + 1, term: TERM, time: TIME_MS + at }
    const command = this.#codec.decode(this.#codec.encode(this.#commands[at]))
    let result: unknown
    try {
      result = machine.apply(command, context)
    } catch (thrown) {
      return `${THREW}${toError(thrown).message}`
    }
    if (result === undefined) return 'undefined'
    return new TextDecoder().decode(this.#codec.encode(result))
  }
}

const THREW = 'threw '

function fault(at: number, what: string): StateMachineFault {
  return new StateMachineFault(`at command ${at}: ${what}`)
}

/** Draws the first chunk now and the others later. */
function begin(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): () => Promise<Uint8Array> {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  const first = iterator.next()
  return async () => {
    const parts: Uint8Array[] = []
    for (let next = await first; next.done !== true; next = await iterator.next())
      parts.push(next.value.slice())
    return join(parts)
  }
}

function collect(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return begin(chunks)()
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

const jsonText: Codec<unknown> = {
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as unknown,
}
