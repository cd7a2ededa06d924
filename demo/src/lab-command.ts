import { Readable } from 'node:stream'
import { run, type Io } from '@lab/cli'

/** Runs a command of `lab` in this process. @throws what it said, when it fails */
export async function labCommand(argv: readonly string[], cwd: string, signal: AbortSignal): Promise<void> {
  const said: string[] = []
  const io: Io = {
    out: () => Promise.resolve(),
    talk: (line) => void said.push(line),
    readInput: () => Promise.resolve(new Uint8Array(0)),
    lines: () => Readable.from([]),
    ...{ env: {}, cwd, interactive: false, color: false, width: 120, signal },
  }
  if ((await run(argv, io)) === 0) return
  signal.throwIfAborted()
  throw new Error(`lab ${argv.join(' ')}: ${said.join('; ')}`)
}
