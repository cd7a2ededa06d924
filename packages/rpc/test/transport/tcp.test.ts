import { describe, test } from 'vitest'
import { tcp } from '../../src/tcp/index.ts'
import { transportSuite } from '../../src/testing/index.ts'

describe.each(['localhost', '[::1]'])('TCP at %s', (host) => {
  const open = () => {
    const transport = tcp()
    return { dial: transport, listen: transport, nextAddress: () => `tcp://${host}:0` }
  }
  for (const { title, run } of transportSuite({ open })) test(title, run)
})
