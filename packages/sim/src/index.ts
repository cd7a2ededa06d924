export { SimDisk, type SimDiskOptions } from './disk/sim-disk.ts'
