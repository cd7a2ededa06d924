export { memory, type MemoryOptions } from './transport.ts'
export { MemoryNetwork, type LinkSelector, type MemoryNetworkOptions } from './network.ts'
export { labConditions, reliableLink, type LabPreset, type LinkConditions } from './conditions.ts'
export type { LinkCounters } from './link.ts'
