/** Three servers that can die: they talk to each other over any transport, and to pages over WebSocket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KvServer } from '@lab/kvraft'
import { fileStorage } from '@lab/raft/storage/file'
import type { Transport } from '@lab/rpc'
import { webSocket } from '@lab/rpc/websocket'
import { freeAddresses } from '../shared/ports.ts'

const IDS = ['n1', 'n2', 'n3']

export class Store {
  /** Where pages reach n1, n2 and n3. */
  readonly addresses: readonly string[]
  readonly #members: Readonly<Record<string, readonly string[]>>
  readonly #transports: readonly Transport[]
  readonly #folder = mkdtempSync(join(tmpdir(), 'browser-kv-'))
  readonly #running = new Map<string, KvServer>()

  private constructor(
    members: Readonly<Record<string, readonly string[]>>,
    transports: readonly Transport[],
  ) {
    this.#members = members
    this.#transports = transports
    this.addresses = IDS.map((id) => members[id]?.at(-1) ?? '')
  }

  /** @param peers what the servers talk to each other by */
  static async plan(peers: Transport): Promise<Store> {
    const [forPages, forPeers] = [await freeAddresses(IDS), await freeAddresses(IDS)]
    const hasTwo = !peers.schemes.includes('ws') // else peers come by the pages' door
    const members = IDS.map((id): [string, string[]] => [
      id,
      [...(hasTwo ? [forPeers[id] ?? ''] : []), `ws://${forPages[id] ?? ''}`],
    ])
    return new Store(Object.fromEntries(members), hasTwo ? [peers, webSocket()] : [peers])
  }

  /** @param origins the pages that may connect; those of anybody else are refused */
  async start(origins: readonly string[], ids: readonly string[] = IDS): Promise<void> {
    const [members, transports] = [this.#members, this.#transports]
    const start = async (id: string): Promise<void> => {
      const storage = fileStorage(join(this.#folder, id))
      this.#running.set(id, await KvServer.start({ id, members, transports, storage, origins }))
    }
    await Promise.all(ids.map(start))
  }

  isRunning(id: string): boolean {
    return this.#running.has(id)
  }

  /** Who leads, as the servers themselves see it. */
  get leader(): string | undefined {
    return [...this.#running].find(([, { node }]) => node.status().role === 'leader')?.[0]
  }

  async kill(id: string): Promise<void> {
    const server = this.#running.get(id)
    this.#running.delete(id)
    await server?.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.kill(id)))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
