import fc from 'fast-check'
import type { Command } from '../src/commands.ts'

export const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength })

/** Few keys, so that commands meet; one of them is not text. */
export const anyKey: fc.Arbitrary<Uint8Array> = fc.constantFrom(
  Uint8Array.of(0x61),
  Uint8Array.of(0x62),
  Uint8Array.of(0x61, 0x62),
  Uint8Array.of(0xff, 0x00),
)

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key: anyKey, value: bytes(0, 40) }),
  fc.record({ op: fc.constant('append' as const), key: anyKey, value: bytes(0, 40) }),
  fc.record({ op: fc.constant('delete' as const), key: anyKey }),
)

export const counter: fc.Arbitrary<number> = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
