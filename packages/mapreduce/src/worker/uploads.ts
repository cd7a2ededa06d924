import type { Client } from '@lab/rpc'
import type { AttemptId, FileSummary } from '../core/task.ts'
import type { TaskFiles } from '../data/files.ts'
import type { CoordinatorService } from '../protocol.ts'

const CHUNK_BYTES = 1 << 20

/** Sends the files of an attempt to the coordinator, where its folder is not ours. Ours are removed. */
export async function upload(
  client: Client<typeof CoordinatorService.methods>,
  files: TaskFiles,
  attempt: AttemptId,
  filesPath: string,
  summaries: readonly FileSummary[],
): Promise<void> {
  for (const { name, bytes } of summaries) {
    const file = files.open(filesPath + name)
    try {
      // An empty file must be there too.
      for (let position = 0; position < Math.max(bytes, 1); position += CHUNK_BYTES) {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, bytes - position))
        file.read(chunk, position)
        await client.upload({ attempt, name, position, bytes: chunk }, { timeout: 30_000 })
      }
    } finally {
      file.close()
    }
    files.remove(filesPath + name)
  }
}
