export { systemDisk } from './system-disk.ts'
