/** `lab mr stream`: a job's mapper, combiner or reducer as a program of a pipeline. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { stream, type StreamRole } from '@lab/mapreduce'
import type { Io } from '../io.ts'
import { loadTypes } from '../module-flags.ts'
import { usage } from '../parse.ts'

export const STREAM_ROLES: readonly StreamRole[] = ['map', 'combine', 'reduce']

export interface StreamFlags {
  readonly param?: Readonly<Record<string, string>>
}

export async function runStream(
  role: StreamRole,
  module: string,
  { param = {} }: StreamFlags,
  { cwd, env }: Io,
): Promise<void> {
  const file = resolve(cwd, module)
  if (!existsSync(file)) throw usage(`there is no file ${module}`)
  loadTypes()
  try {
    await stream(role, file, { parameters: param, env })
  } catch (thrown) {
    // `… | head` has seen enough.
    if ((thrown as NodeJS.ErrnoException).code !== 'EPIPE') throw thrown
  }
}
