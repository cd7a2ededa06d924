// The suite that our own transports pass: one test for every promise, in any test runner.
import { MessageChannel } from 'node:worker_threads'
import { test } from 'vitest'
import { transportSuite, type TransportUnderTest } from '@lab/rpc/testing'
import { own } from './own-transport.ts'

let count = 0

function open(): TransportUnderTest {
  const { port1, port2 } = new MessageChannel()
  return {
    dial: own(port1),
    listen: own(port2),
    nextAddress: () => `own://place-${++count}`,
    close: () => port1.close(),
  }
}

const lacks = { 'free port': 'names have no ports' }

for (const { title, run } of transportSuite({ open, lacks })) test(title, run)
