/** Round trips of our RPC over TCP and WebSocket, each beside the bare thing in the same run. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Benchmark, Row } from './benchmark.ts'
import { variants, type VariantName } from './rpc/variants.ts'

const IN_FLIGHT = [1, 64, 512]
const ROUNDS = 5
const SECONDS_MAX = 35
/** Of each variant, before anything counts, and of each round: cold code says nothing. */
const WARM_UP_MS = 500
const ROUND_WARM_UP = 0.2
const PAIRS: readonly {
  network: string
  bare: VariantName
  rpc: VariantName
  goal: (inFlight: number) => string
}[] = [
  {
    network: 'TCP',
    bare: 'bare-tcp',
    rpc: 'rpc-tcp',
    goal: (inFlight) => (inFlight < 512 ? '≥ 0.6' : '≥ 0.35'),
  },
  {
    network: 'WebSocket',
    bare: 'bare-websocket',
    rpc: 'rpc-websocket',
    goal: (inFlight) => (inFlight < 64 ? '' : '≥ 2'),
  },
]

export const benchmark: Benchmark = {
  title:
    'RPC round trips, 256 B, two processes; bare is an echo that coalesces writes (node:net) or sends a frame per message (ws)',
  async run({ seconds }) {
    const names = Object.keys(variants) as VariantName[]
    const pairs = new Map<VariantName, Pair>()
    for (const name of names) pairs.set(name, await Pair.start(name))
    for (const pair of pairs.values()) await pair.run(64, WARM_UP_MS)
    // A second goes into starting the processes.
    const left = (Math.min(seconds, SECONDS_MAX) - 1) * 1000 - names.length * WARM_UP_MS
    const millis = left / (names.length * IN_FLIGHT.length * ROUNDS)
    const rows: Row[] = []
    for (const inFlight of IN_FLIGHT) {
      const rates = await measure(pairs, inFlight, millis)
      for (const pair of PAIRS) rows.push(rowOf(pair, inFlight, rates))
    }
    for (const pair of pairs.values()) pair.stop()
    return rows.sort((a, b) => String(a['network']).localeCompare(String(b['network'])))
  },
}

/** A process that answers, and one that asks it. */
class Pair {
  readonly #client: ChildProcess
  readonly #server: ChildProcess

  static async start(name: VariantName): Promise<Pair> {
    const server = fork(join(import.meta.dirname, 'rpc', 'server-process.ts'), [name])
    const [address] = (await once(server, 'message')) as [string]
    const client = fork(join(import.meta.dirname, 'rpc', 'client-process.ts'), [name, address])
    await once(client, 'message')
    return new Pair(client, server)
  }

  private constructor(client: ChildProcess, server: ChildProcess) {
    this.#client = client
    this.#server = server
  }

  /** Keeps `inFlight` requests on their way for `millis`. @returns replies per second */
  async run(inFlight: number, millis: number): Promise<number> {
    this.#client.send({ inFlight, millis })
    const [rate] = (await once(this.#client, 'message')) as [number]
    return rate
  }

  stop(): void {
    this.#client.disconnect()
    this.#server.disconnect()
  }
}

type Rates = ReadonlyMap<VariantName, readonly number[]>

/** The variants take turns, so that a disturbance of the machine meets them all. */
async function measure(
  pairs: ReadonlyMap<VariantName, Pair>,
  inFlight: number,
  millis: number,
): Promise<Rates> {
  const rates = new Map<VariantName, number[]>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, pair] of pairs) {
      await pair.run(inFlight, millis * ROUND_WARM_UP)
      const rate = await pair.run(inFlight, millis * (1 - ROUND_WARM_UP))
      rates.set(name, [...(rates.get(name) ?? []), rate])
    }
  }
  return rates
}

function rowOf({ network, bare, rpc, goal }: (typeof PAIRS)[number], inFlight: number, rates: Rates): Row {
  const bareRates = rates.get(bare) ?? []
  const rpcRates = rates.get(rpc) ?? []
  return {
    network,
    'in flight': String(inFlight),
    'bare, /s': median(bareRates),
    'rpc, /s': median(rpcRates),
    // Each round against its own neighbour: a disturbance of both is not one of their ratio.
    'rpc : bare': median(rpcRates.map((rate, i) => rate / (bareRates[i] ?? rate))),
    goal: goal(inFlight),
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
