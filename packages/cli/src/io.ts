import { createInterface } from 'node:readline'
import { RpcError } from '@lab/rpc'

/** Where a command reads and writes: data to `out`, talk to `talk`. The process's own, or a test's. */
export interface Io {
  /** Data, as it is. Resolves when it is on its way. */
  out(data: string | Uint8Array): Promise<void>
  /** A line for people; never data. */
  talk(line: string): void
  /** The whole of standard input. */
  readInput(): Promise<Uint8Array>
  /** Standard input line by line, asking for each with `prompt` when somebody looks at it. Ends with it, or by {@link signal}. */
  lines(prompt: string): AsyncIterable<string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working folder. */
  readonly cwd: string
  /** Standard output is a terminal: somebody looks at it. */
  readonly interactive: boolean
  readonly color: boolean
  /** Characters in a line. */
  readonly width: number
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
}

const WIDTH_WITHOUT_TERMINAL = 120

/** @param signal see {@link Io.signal} */
export function processIo(signal: AbortSignal): Io {
  const { stdout, stderr, stdin, env } = process
  const interactive = stdout.isTTY && env['TERM'] !== 'dumb'
  return {
    out: (data) =>
      new Promise((resolve) => {
        stdout.write(data, () => {
          resolve()
        })
      }),
    talk: (line) => stderr.write(`${line}\n`),
    async readInput() {
      const chunks: Uint8Array[] = []
      const callOff = (): void =>
        void stdin.destroy(new RpcError('CANCELLED', 'interrupted while reading standard input'))
      signal.addEventListener('abort', callOff)
      try {
        for await (const chunk of stdin) chunks.push(chunk as Uint8Array)
      } finally {
        signal.removeEventListener('abort', callOff)
      }
      return new Uint8Array(Buffer.concat(chunks))
    },
    lines: (prompt) => linesOf(prompt, signal),
    env,
    cwd: process.cwd(),
    interactive,
    color: interactive && (env['NO_COLOR'] ?? '') === '',
    width: stdout.isTTY ? stdout.columns : Number(env['COLUMNS']) || WIDTH_WITHOUT_TERMINAL,
    signal,
  }
}

async function* linesOf(prompt: string, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  const { stdin, stderr } = process
  // The prompt is talk: it must not get into data that somebody redirects.
  const input = createInterface({ input: stdin, output: stderr, terminal: stdin.isTTY, prompt, signal })
  const ask = (): void => {
    if (stdin.isTTY) input.prompt()
  }
  ask()
  for await (const line of input) {
    yield line
    ask()
  }
}
