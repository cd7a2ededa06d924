export { kvLab } from './lab.ts'
export type { KvLabOptions, LabClerk, LabKvServer, LabMakeClerk, LabMakeKvServer } from './lab-interface.ts'
export { describeLabStore, labClerk, labStore } from './lab-store.ts'
