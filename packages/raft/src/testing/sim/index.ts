export { groupsScenario, type GroupsOp, type GroupsServer } from './groups.ts'
export { listScenario, type Add, type ListMachine } from './list.ts'
export {
  clientOptions,
  isFinal,
  leaderOf,
  nodeOptions,
  raftScenario,
  type RaftServer,
  type RaftScenarioOptions,
} from './scenario.ts'
export {
  registersScenario,
  type RegistersMachine,
  type RegistersOp,
  type RegistersWrite,
} from './registers.ts'
export { Operator } from './operator.ts'
export { RaftWatcher, type RaftWatcherOptions } from './watcher.ts'
export { AMBUSHES, ambushScenario, type AmbushName } from './ambush/ambush.ts'
