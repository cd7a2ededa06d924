export { shardLab } from './lab.ts'
export type {
  LabMakeShardClerk,
  LabMakeShardServer,
  LabShardClerk,
  LabShardPlace,
  ShardLabOptions,
} from './lab-interface.ts'
export { describeLabShards, labShardClerk, labShards } from './lab-store.ts'
