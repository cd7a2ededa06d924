import { toError } from '@lab/rpc'
import type { LabApplied, LabCommand, LabRaft } from './lab-interface.ts'
import type { LabSafety } from './lab-safety.ts'
import { fail } from './lab-failure.ts'
import { nameOf } from './lab-safety.ts'

/** A snapshot follows each index i with (i + 1) divisible by this. */
const SNAPSHOT_INTERVAL = 10
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export interface LabServiceOptions {
  readonly safety: LabSafety
  readonly server: number
  readonly snapshots: boolean
  /** The instance below, while it lives. */
  readonly raft: () => LabRaft | null
  /** What the instance threw when it was given a snapshot. */
  readonly onError: (error: Error) => void
}

/** What stands above one life of a server: it hands what is applied to the judge and, in part 2D, makes snapshots. */
export class LabService {
  readonly #options: LabServiceOptions

  constructor(options: LabServiceOptions) {
    this.#options = options
  }

  /** A new life begins with the snapshot on its disk, before Raft starts (§7). */
  recover(snapshot: Uint8Array): void {
    const { safety, server } = this.#options
    safety.reborn(server, snapshot.length === 0 ? [] : decode(snapshot, server))
  }

  apply(applied: LabApplied): void {
    const { safety, server, snapshots } = this.#options
    if (applied.type === 'snapshot') {
      safety.restored(server, applied.index, decode(applied.snapshot, server))
      return
    }
    if (snapshots && applied.index !== safety.lastApplied(server) + 1)
      fail(
        'applyInOrder',
        `${nameOf(server)} applies index ${String(applied.index)} after ${String(safety.lastApplied(server))}`,
      )
    safety.applied(server, applied)
    if (snapshots && (applied.index + 1) % SNAPSHOT_INTERVAL === 0) this.#snapshotLater(applied.index)
  }

  /** Not within `apply`: a service of its own would not call back from there either. */
  #snapshotLater(index: number): void {
    const { safety, server, raft, onError } = this.#options
    const commands = Array.from({ length: index }, (_, i) => safety.commandAt(server, i + 1) as LabCommand)
    const blob = encoder.encode(JSON.stringify(commands))
    Promise.resolve()
      .then(() => raft()?.snapshot(index, blob))
      .catch((thrown: unknown) => {
        onError(toError(thrown))
      })
  }
}

function decode(blob: Uint8Array, server: number): LabCommand[] {
  try {
    return JSON.parse(decoder.decode(blob)) as LabCommand[]
  } catch {
    return fail('snapshotKeepsState', `${nameOf(server)} got a snapshot whose bytes the service never made`)
  }
}
