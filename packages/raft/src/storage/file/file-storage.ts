/** Storage of one group in a folder. */
import type { Recovered, Storage } from '../../storage.ts'
import { fileHostStorage, type FileStorageOptions } from './file-host-storage.ts'

/**
 * Keeps log, term, vote and snapshots in `directory`, which it makes when it is missing; one process at a time. What the
 * files hold is described in `docs/log-format.md`: it is the log of {@link fileHostStorage} with one group, 0.
 */
export function fileStorage(directory: string, options: FileStorageOptions = {}): Storage {
  const host = fileHostStorage(directory, options)
  const group = host.group(0)
  return {
    ...group,
    async open(owner, onFailed): Promise<Recovered> {
      const { notes } = await host.open(owner, onFailed)
      try {
        return { ...(await group.open(owner)), notes }
      } catch (thrown) {
        await host.close()
        throw thrown
      }
    },
    close: () => host.close(),
  }
}
