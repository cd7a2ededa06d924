import { ReplicatedMachine } from '@lab/raft/rsm'
import { storeCodecs } from '@lab/kvraft'
import type { Config } from '@lab/shardctrler'
import { readOutline } from './snapshot.ts'

/** What a group's snapshot says of the group, its data left out. */
export interface GroupOutline {
  /** The newest that it had applied; null before the first. */
  readonly config: Config | null
  /** Numbers of the shards that it served, ascending. */
  readonly serving: readonly number[]
  /** Of those that were on their way to it or from it, ascending. */
  readonly moving: readonly number[]
}

/**
 * Reads a group's snapshot, as a backup holds it, without keeping any of its data.
 *
 * @throws {ProtocolError} on bytes that are none
 */
export async function outlineOf(state: AsyncIterable<Uint8Array>): Promise<GroupOutline> {
  let outline: GroupOutline = { config: null, serving: [], moving: [] }
  const machine = {
    apply: (): never => {
      throw new Error('bug: an outline applies nothing')
    },
    async restore(chunks: AsyncIterable<Uint8Array>) {
      outline = await readOutline(chunks)
    },
  }
  await new ReplicatedMachine({ machine, ...storeCodecs }).restore(state)
  return outline
}
