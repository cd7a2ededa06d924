export { memoryHostStorage, type MemoryHostStorage } from './memory-host.ts'
export { memoryStorage, type MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts'
