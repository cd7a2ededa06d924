/** What `npm start -- …` takes. */
import { parseArgs } from 'node:util'
import type { LocalTransport } from '@lab/cli'

export interface DemoOptions {
  /** Texts to load; none means Moby-Dick. */
  readonly files: readonly string[]
  /** Operations a second; Infinity for as fast as it goes. */
  readonly rate: number
  readonly transport: LocalTransport
  /** Machines. Each group and the controller have three replicas on them. */
  readonly nodes: number
  /** Leave the cluster running afterwards. */
  readonly keep: boolean
}

export const HELP = `npm start [-- FILE… OPTIONS]

  npm start                              Moby-Dick into four machines, indexed, asked and killed on the way
  npm start -- notes.txt letters.txt     your own texts instead
  npm start -- --rate max                as fast as it goes; or a number of operations a second
  npm start -- --transport websocket     WebSocket instead of TCP
  npm start -- --nodes 5                 five machines
  npm start -- --keep                    leave them running; then npx lab kv get …

Exit code 0 when every byte came back and every answer was right, 1 when something was lost, there twice or wrong.`

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const DEFAULT_RATE = 1000
const RATE_MAX = 1_000_000
const NODES = { default: 4, min: 3, max: 9 } as const

/** @returns null when help was asked for @throws {UsageError} */
export function parseOptions(argv: readonly string[]): DemoOptions | null {
  const { values, positionals } = parse(argv)
  if (values.help === true) return null
  const { transport = 'tcp' } = values
  if (transport !== 'tcp' && transport !== 'websocket')
    throw new UsageError(`--transport takes tcp or websocket, not "${transport}"`)
  return {
    files: positionals,
    rate: parseRate(values.rate),
    transport,
    nodes: parseNodes(values.nodes),
    keep: values.keep === true,
  }
}

function parse(
  argv: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause })
  }
}

const OPTIONS = {
  rate: { type: 'string' },
  transport: { type: 'string' },
  nodes: { type: 'string' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function parseRate(text: string | undefined): number {
  if (text === undefined) return DEFAULT_RATE
  if (text === 'max') return Infinity
  const rate = Number(text)
  if (!(rate >= 1 && rate <= RATE_MAX))
    throw new UsageError(`--rate takes max or a number from 1 on, not "${text}"`)
  return rate
}

function parseNodes(text = String(NODES.default)): number {
  const nodes = Number(text)
  if (Number.isInteger(nodes) && nodes >= NODES.min && nodes <= NODES.max) return nodes
  throw new UsageError(
    `--nodes takes a number from ${NODES.min} (fewer would not survive one machine) to ${NODES.max}, not "${text}"`,
  )
}
