export { kvLab } from './lab.ts'
export { LabHistory, type LabHistoryOptions } from './lab-history.ts'
export type { KvLabOptions, LabClerk, LabKvServer, LabMakeClerk, LabMakeKvServer } from './lab-interface.ts'
export { describeLabStore, labClerk, labStore } from './lab-store.ts'
