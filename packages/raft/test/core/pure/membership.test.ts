import { ProtocolError } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMembership, encodeMembership, membersOf } from '../../../src/core/membership.ts'
import type { Membership } from '../../../src/types.ts'
import { membershipOf } from '../support/one-server.ts'

const id = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/)
const ids = fc.uniqueArray(id, { maxLength: 6 })
const anyMembership = fc.record({
  voters: ids,
  votersOutgoing: ids,
  learners: ids,
  addresses: fc.dictionary(id, fc.array(fc.webUrl(), { maxLength: 3 }), {
    maxKeys: 5,
    noNullPrototype: true,
  }),
  index: fc.nat(),
  incarnations: fc.dictionary(id, fc.string(), { maxKeys: 5, noNullPrototype: true }),
  leases: fc.boolean(),
})

test('a configuration comes back as it was, joint or not', () => {
  fc.assert(
    fc.property(anyMembership, (membership) => {
      const decoded = decodeMembership(encodeMembership(membership))
      const listed = ({ addresses, incarnations, ...rest }: Membership): unknown => ({
        ...rest,
        addresses: Object.entries(addresses),
        incarnations: Object.entries(incarnations),
      })
      expect(listed(decoded)).toEqual(listed(membership))
    }),
  )
})

test('an id that is a name of JavaScript’s own is an id like any other', () => {
  const addresses = Object.fromEntries([['__proto__', ['tcp://h:1']]])
  const decoded = decodeMembership(
    encodeMembership(membershipOf(['__proto__', 'constructor'], { addresses })),
  )
  expect(decoded.voters).toEqual(['__proto__', 'constructor'])
  expect(Object.keys(decoded.addresses)).toEqual(['__proto__'])
})

test('cut or changed bytes are refused, or mean another configuration that is one', () => {
  const bytes = encodeMembership(
    membershipOf(['n1', 'n2'], { learners: ['n3'], addresses: { n1: ['tcp://h:1'] } }),
  )
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodeMembership(bytes.subarray(0, length))).toThrow(ProtocolError)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = bytes.slice()
      changed[at] = value
      try {
        expect(encodeMembership(decodeMembership(changed))).toEqual(changed)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }),
  )
})

test('a server named twice, or by what is no id, is refused', () => {
  for (const voters of [['a', 'a'], ['a b'], [''], ['x'.repeat(65)]])
    expect(() => decodeMembership(encodeMembership(membershipOf(voters)))).toThrow(ProtocolError)
})

test('members are voters of both sets and learners, each once', () => {
  const membership = membershipOf(['a', 'b'], { votersOutgoing: ['b', 'c'], learners: ['d'] })
  expect(membersOf(membership)).toEqual(['a', 'b', 'c', 'd'])
})
