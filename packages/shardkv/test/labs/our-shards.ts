/** Our store as a student's module: what `lab grade --part 4B` takes. */
export { labShardClerk as makeShardClerk } from '@lab/shardkv/testing'
import { labShards } from '@lab/shardkv/testing'

export const makeShardServer = labShards()
