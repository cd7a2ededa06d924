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
export { fixedWidth, wholeFile, wholeFileBytes } from './data/byte-formats.ts'
export { csv, csvWithHeader, type CsvOptions } from './data/csv-format.ts'
export { gzip } from './data/gzip-format.ts'
export { byteLines, jsonLinesInput, textLines } from './data/line-formats.ts'
export type { Kernel, KernelOutput, KernelRun } from './kernels/kernel.ts'
export { sum, sumValues } from './kernels/sum.ts'
export { grep, type Place } from './kernels/grep.ts'
export { sortRecords, type RecordPartition, type SortRecordsOptions } from './kernels/sort-records.ts'
export { tokenCounts } from './kernels/token-counts.ts'
export { DataError } from './data/errors.ts'
export { bigintKey, bytesKey, dateKey, descending, numberKey, textKey, tupleKey } from './data/keys.ts'
export { bytesValue, jsonValue, textValue } from './data/values.ts'
export { jsonLines, tabLines, valueLines } from './data/output-formats.ts'
export { endpointOf, hostJob, jobStatus, pipeline, resultsIn, run, runWorker, stream } from './node/api.ts'
export { testJob, type TestJobOptions, type TestJobResult } from './test-job.ts'
export type { Stage } from './node/pipeline.ts'
export type { Endpoint } from './node/endpoint.ts'
export type { HostedJob, HostOptions } from './node/host.ts'
export type { JobOptions } from './node/open-coordinator.ts'
export type { JobResult, RunOptions } from './node/run.ts'
export type { StreamJobOptions } from './node/stream.ts'
export type { WorkerProcessOptions } from './node/worker-process.ts'
export type { StreamPorts } from './stream/ports.ts'
export type { StreamRole } from './stream/stream.ts'
export type { JobReport } from './coordinator/coordinator.ts'
export type { JobStatus, PhaseStatus } from './coordinator/status.ts'
export type { Manifest } from './manifest.ts'
export type { Transition } from './core/decision.ts'
export type { BadRecord, Counters, FileSummary, TaskKind } from './core/task.ts'
