/** `--transport memory|tcp|websocket`: the only thing in which the examples differ from one network to the next. */
import { parseArgs } from 'node:util'
import type { Transport } from '@lab/rpc'
import { memory } from '@lab/rpc/memory'
import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'

const { values } = parseArgs({ options: { transport: { type: 'string', default: 'tcp' } }, strict: false })

/** The name on the command line. */
export const transportName = String(values.transport)

/** @param more choices of one example's own */
export function chooseTransport(more: Readonly<Record<string, () => Transport>> = {}): Transport {
  const choices: Readonly<Record<string, () => Transport>> = {
    memory: () => memory(),
    tcp: () => tcp(),
    websocket: () => webSocket(),
    ...more,
  }
  const make = choices[transportName]
  if (make !== undefined) return make()
  console.error(`--transport ${Object.keys(choices).join('|')}, not ${transportName}`)
  process.exit(2)
}
