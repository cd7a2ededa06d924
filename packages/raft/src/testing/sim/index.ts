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
export { RaftWatcher, type RaftWatcherOptions } from './watcher.ts'
