import { describe, expect, test } from 'vitest'
import { transportSuite } from '../../src/testing/index.ts'
import { authority, certified, schemes, transportOf } from './world.ts'

describe.each(schemes)('%s', (scheme) => {
  const open = () => ({
    dial: transportOf(scheme, { ca: authority.cert }),
    listen: transportOf(scheme, certified('n1')),
    nextAddress: () => `${scheme}://localhost:0`,
  })
  for (const { title, run } of transportSuite({ open })) test(title, run)

  test('an address without a scheme is an encrypted one', () => {
    expect(transportOf(scheme, { ca: authority.cert }).schemes[0]).toBe(scheme)
  })

  test('without a certificate it does not listen, and says what it needs', async () => {
    const bare = transportOf(scheme, {})
    await expect(bare.listen(`${scheme}://localhost:0`, () => undefined)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('tls: { cert, key }') as string,
    })
    const { cert } = certified('n1')
    const { key } = certified('n1')
    const mixed = transportOf(scheme, { cert: cert ?? '', key: key ?? '' })
    await expect(mixed.listen(`${scheme}://localhost:0`, () => undefined)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringMatching(/certificate and key.*mismatch/) as string,
    })
  })
})
