/** `stream`: a job as a program of a pipeline, on this process's standard streams. */
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runStream, type StreamRole } from '../stream/stream.ts'
import type { StreamPorts } from '../stream/ports.ts'
import { loadJob } from './load-job.ts'
import { moduleUrl } from './module-url.ts'
import { standardStreams } from './standard-streams.ts'
import { userStack } from './user-stack.ts'

export interface StreamJobOptions {
  /** Told to the job's functions by `context.parameters`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Where Hadoop says which task this is. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: standard input, output and error. */
  readonly ports?: StreamPorts
}

export async function streamJob(
  role: StreamRole,
  module: string | URL,
  options: StreamJobOptions,
): Promise<void> {
  const { parameters = {}, env = process.env, ports = standardStreams } = options
  const url = moduleUrl(module)
  const job = await loadJob(url)
  await runStream(role, job, ports, {
    name: job.name ?? basename(fileURLToPath(url)).replace(/\.\w+$/, ''),
    parameters,
    userStack,
    ...taskOf(env),
  })
}

/** Hadoop's settings are variables whose dots are underscores; `attempt_1700000000000_0001_m_000003_1` is the second of task 3. */
function taskOf(env: Readonly<Record<string, string | undefined>>): {
  readonly task: number
  readonly attempt: number
  readonly inputFile: string
} {
  const attempt = /_(\d+)$/.exec(env['mapreduce_task_attempt_id'] ?? '')
  return {
    task: Number(env['mapreduce_task_partition'] ?? 0) || 0,
    attempt: attempt === null ? 1 : Number(attempt[1]) + 1,
    inputFile: env['mapreduce_map_input_file'] ?? '',
  }
}
