export { raftLab } from './lab.ts'
export { labTest, type LabRun, type LabTestOptions, type LabWorld } from './lab-run.ts'
export { LabServers, type LabInstance, type LabLife, type LabServersOptions } from './lab-servers.ts'
export {
  NotLeader,
  type LabApplied,
  type LabApply,
  type LabCommand,
  type LabDescribe,
  type LabEnv,
  type LabMake,
  type LabMethod,
  type LabPart,
  type LabPeer,
  type LabPersister,
  type LabRaft,
  type LabResult,
  type LabRunOptions,
  type LabTest,
  type RaftLabOptions,
  type Started,
} from './lab-interface.ts'
export { LabFailure, labRules, type LabRule, type LabRuleName } from './lab-failure.ts'
export { labLine, labTrace, labTraceName } from './lab-report.ts'
export { describeLabJson } from './lab-trace.ts'
export { LabRsm, type LabRsmOptions } from './lab-rsm.ts'
export { LabRsmClerk } from './lab-rsm-clerk.ts'
export { labCore, labTiming, type LabCoreOptions } from './lab-core.ts'
export { describeLabCore } from './lab-core-messages.ts'
export {
  storageSuite,
  type StorageAbility,
  type StoragePlace,
  type StorageSuiteOptions,
} from './storage-suite.ts'
export { checkStateMachine, StateMachineFault, type CheckStateMachineOptions } from './check-state-machine.ts'
export { RaftCluster, type RaftClusterOptions } from './cluster.ts'
