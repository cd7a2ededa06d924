/** Pipelines of `lab mr stream`, without its processes: bytes in memory between them, and the real `sort`. */
import { spawnSync } from 'node:child_process'
import type { Job } from '../../src/job.ts'
import { runStream, type StreamRole } from '../../src/stream/stream.ts'

export interface Streamed {
  readonly out: Buffer
  /** Lines of standard error. */
  readonly told: readonly string[]
}

export async function streamed<Rec, K, V, OutK, OutV>(
  role: StreamRole,
  job: Job<Rec, K, V, OutK, OutV>,
  input: string | Uint8Array,
  { chunkBytes = 1 << 16, ...task }: { readonly chunkBytes?: number; readonly inputFile?: string } = {},
): Promise<Streamed> {
  let rest: Uint8Array = Buffer.from(input)
  const out: Uint8Array[] = []
  const told: string[] = []
  await runStream(
    role,
    job,
    {
      read(into) {
        const taken = rest.subarray(0, Math.min(into.length, chunkBytes))
        into.set(taken)
        rest = rest.subarray(taken.length)
        return taken.length
      },
      write: (bytes) => void out.push(bytes.slice()),
      tell: (line) => void told.push(line),
    },
    { name: 'job', userStack: () => '    at map (job.ts:1:1)', ...task },
  )
  return { out: Buffer.concat(out), told }
}

/** `LC_ALL=C sort`, the process. */
export function sorted(lines: Uint8Array): Buffer {
  return spawnSync('sort', { input: lines, env: { ...process.env, LC_ALL: 'C' } }).stdout
}

/** map | sort | combine, where there is one | sort | reduce. */
export async function pipeline<Rec, K, V, OutK, OutV>(
  job: Job<Rec, K, V, OutK, OutV>,
  input: string | Uint8Array,
  options: { readonly chunkBytes?: number } = {},
): Promise<string> {
  let { out } = await streamed('map', job, input, options)
  if (job.combine !== undefined) ({ out } = await streamed('combine', job, sorted(out), options))
  return (await streamed('reduce', job, sorted(out), options)).out.toString()
}
