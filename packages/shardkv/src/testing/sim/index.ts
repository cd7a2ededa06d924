export { shardScenario, type ShardOp } from './scenario.ts'
