import { describe, expect, test } from 'vitest'
import { stateMachine } from '../../src/shorthand.ts'
import type { ApplyContext, StateMachine } from '../../src/state-machine.ts'
import { StateMachineFault, checkStateMachine } from '../../src/testing/check-state-machine.ts'

type Add = { readonly add: number }
const commands: readonly Add[] = [{ add: 1 }, { add: 2 }, { add: -1 }, { add: 5 }, { add: 7 }]

class Counter implements StateMachine<Add, number> {
  total = 0
  apply({ add }: Add, _context: ApplyContext): number {
    this.total += add
    return this.total
  }
  *snapshot(): Iterable<Uint8Array> {
    yield new TextEncoder().encode(String(this.total))
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk)
    this.total = Number(text)
  }
}

const faultOf = (make: () => StateMachine<Add>): Promise<unknown> =>
  checkStateMachine({ make, commands }).then(
    () => null,
    (error: unknown) => {
      expect(error).toBeInstanceOf(StateMachineFault)
      return (error as StateMachineFault).message
    },
  )

describe('checkStateMachine', () => {
  test('a deterministic machine passes', async () => {
    expect(await faultOf(() => new Counter())).toBeNull()
  })

  test('the shorthand passes, and a rule that throws leaves nothing', async () => {
    const make = () =>
      stateMachine({
        initial: { total: 0 },
        apply(state, { add }: Add) {
          if (add < 0) throw new Error('only upwards')
          state.total += add
          return state.total
        },
      })
    expect(await faultOf(make)).toBeNull()
  })

  test('finds chance in apply', async () => {
    class Random extends Counter {
      override apply(command: Add, context: ApplyContext): number {
        super.apply(command, context)
        return Math.random() < 2 ? this.total : 0
      }
    }
    expect(await faultOf(() => new Random())).toMatch('apply uses Math.random')
  })

  test('finds a clock in apply', async () => {
    class Clock extends Counter {
      override apply(command: Add, context: ApplyContext): number {
        Date.now()
        return super.apply(command, context)
      }
    }
    expect(await faultOf(() => new Clock())).toMatch('apply uses Date.now')
  })

  test('finds state shared between machines', async () => {
    let shared = 0
    class Shared extends Counter {
      override apply({ add }: Add): number {
        shared += add
        return shared
      }
    }
    expect(await faultOf(() => new Shared())).toMatch('different results')
  })

  test('finds a throw that leaves something behind', async () => {
    class Dirty extends Counter {
      override apply(command: Add, context: ApplyContext): number {
        super.apply(command, context)
        if (command.add < 0) throw new Error('too late')
        return this.total
      }
    }
    expect(await faultOf(() => new Dirty())).toMatch('changed the state before')
  })

  test('finds a snapshot that is not frozen', async () => {
    class Live extends Counter {
      override *snapshot(): Iterable<Uint8Array> {
        yield new TextEncoder().encode(' ')
        yield new TextEncoder().encode(String(this.total))
      }
    }
    expect(await faultOf(() => new Live())).toMatch('changes with the commands applied')
  })

  test('finds a restore that forgets', async () => {
    class Forgetful extends Counter {
      override async restore(): Promise<void> {
        this.total = 0
      }
    }
    expect(await faultOf(() => new Forgetful())).toMatch('another snapshot')
  })

  test('finds a restore that relies on how the chunks were cut', async () => {
    class LastChunk extends Counter {
      override async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
        for await (const chunk of chunks) this.total = Number(new TextDecoder().decode(chunk))
      }
    }
    const many = Array.from({ length: 40 }, () => ({ add: 99 }))
    await expect(checkStateMachine({ make: () => new LastChunk(), commands: many })).rejects.toThrow(
      'chunks of 1 bytes',
    )
  })
})
