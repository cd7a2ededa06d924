export { fileHostStorage, type FileStorageOptions } from './file-host-storage.ts'
export { fileStorage } from './file-storage.ts'
