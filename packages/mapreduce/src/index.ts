export { checkJob, defineJob, type Emit, type Job, type MaybeAsync } from './job.ts'
export type { Counter, SideFile, TaskContext } from './context.ts'
export type {
  InputBytes,
  InputFormat,
  InputRecord,
  KeyCodec,
  OutputFormat,
  Split,
  ValueCodec,
} from './formats.ts'
export { JobError } from './errors.ts'
