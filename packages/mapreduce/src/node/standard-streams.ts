/** Standard input and output without waiting, for a process that is one program of a pipeline. */
import { readSync, writeSync } from 'node:fs'
import type { StreamPorts } from '../stream/ports.ts'

const [STDIN, STDOUT, STDERR] = [0, 1, 2]
const RETRY_MS = 1

export const standardStreams: StreamPorts = {
  read: (into) => patiently(() => readSync(STDIN, into)),
  write(bytes) {
    writeAll(STDOUT, bytes)
  },
  tell(line) {
    writeAll(STDERR, Buffer.from(`${line}\n`))
  },
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;)
    done += patiently(() => writeSync(descriptor, bytes, done, bytes.length - done))
}

/** Whoever made the pipe may have made it one that does not wait: then we do. */
function patiently(work: () => number): number {
  for (;;) {
    try {
      return work()
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException
      if (code === 'EOF') return 0 // How Windows says that a pipe has ended.
      if (code !== 'EAGAIN') throw thrown
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
    }
  }
}
