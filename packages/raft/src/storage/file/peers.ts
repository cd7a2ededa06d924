/** Which incarnation of each peer this server met first: a file of its own, as it hardly ever changes. */
import type { Disk } from '@lab/rpc'
import type { NodeId } from '../../types.ts'
import { corrupt } from './errors.ts'
import { readFileWhole, replaceFile } from './named-file.ts'
import { Serial } from './serial.ts'

export const PEERS_NAME = 'peers'

export class Peers {
  readonly #disk: Disk
  readonly #directory: string
  #known: ReadonlyMap<NodeId, string>
  readonly #serial = new Serial()

  constructor(disk: Disk, directory: string, known: ReadonlyMap<NodeId, string>) {
    this.#disk = disk
    this.#directory = directory
    this.#known = known
  }

  static async read(disk: Disk, directory: string, names: readonly string[]): Promise<Peers> {
    const pairs = names.includes(PEERS_NAME) ? await readFileWhole(disk, directory, PEERS_NAME) : []
    if (!Array.isArray(pairs) || !pairs.every(isPair))
      throw corrupt(`${directory}/${PEERS_NAME} does not hold pairs of node and incarnation`)
    return new Peers(disk, directory, new Map(pairs))
  }

  get known(): ReadonlyMap<NodeId, string> {
    return this.#known
  }

  /** Durable when it resolves. */
  remember(id: NodeId, incarnation: string): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#known.get(id) === incarnation) return
      const next = new Map(this.#known).set(id, incarnation)
      await replaceFile(this.#disk, this.#directory, PEERS_NAME, [...next])
      this.#known = next
    })
  }

  idle(): Promise<void> {
    return this.#serial.idle()
  }
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'string')
}
