import { DiskError } from '@lab/rpc'
import type { TaskFile } from '../data/files.ts'
import type { StreamPorts } from './ports.ts'

/** Standard output as the file of a part, which is written from first to last. */
export function outputFile(ports: Pick<StreamPorts, 'write'>): TaskFile {
  let size = 0
  return {
    path: 'standard output',
    size: () => size,
    read() {
      throw new DiskError('DISK_FAILED', 'standard output is not read')
    },
    write(bytes) {
      ports.write(bytes)
      size += bytes.length
    },
    sync: () => undefined,
    close: () => undefined,
  }
}
