/**
 * What coordinator and workers say to each other. Workers ask, the coordinator answers: it never calls a worker, so a worker
 * needs no open port but the one from which others fetch its map outputs.
 *
 *     worker ── register ──▶ coordinator      who I am, what I hold, what I am at
 *            ── next ──────▶                  a long poll: it is answered when there is work
 *            ── report ────▶                  results, failures, progress; renews the lease
 *            ── outputs ───▶                  where the map outputs are
 *            ── input, upload ──▶             bytes, where no folder is shared
 *     worker ── segments, read ▶ worker        a partition of a map output
 */
import { ByteReader, ByteWriter, bytesCodec, service, unary, type Codec } from '@lab/rpc'
import type {
  AttemptFailure,
  AttemptId,
  AttemptProgress,
  AttemptResult,
  BadRecord,
  FetchFailure,
  WorkerId,
} from './core/task.ts'
import type { Segment } from './data/spill-format.ts'
import type { JobStatus } from './coordinator/status.ts'
import type { Split } from './formats.ts'

/** All that a worker must know of the job. */
export interface JobSpec {
  readonly name: string
  /** The module that exports the job, as a file URL of the coordinator's machine. */
  readonly module: string
  /** A hash of the module and of what it imports by relative path: a worker with another build refuses. */
  readonly build: string
  readonly parameters: Readonly<Record<string, string>>
  /** R, the number of partitions. */
  readonly reduces: number
  /** What the job's kernel drew from the input, see `Kernel.plan`; else ''. */
  readonly plan: string
  /** Memory that a task may fill before it spills, in bytes. */
  readonly budgetBytes: number
  /** An attempt that finishes no record for so long is hung, in milliseconds. */
  readonly hangMs: number
  /** Fixes what may be shuffled, such as the order of a key's values. */
  readonly seed: number
}

/** A file that proves a shared folder: whoever reads `nonce` at `path` sees the same files. */
export interface Probe {
  readonly path: string
  readonly nonce: string
}

/** The result of a map whose output a worker holds. */
export type HeldOutput = AttemptId & { readonly result: AttemptResult }

/** As it is reported first. */
export type DoneAttempt = HeldOutput & {
  /** From its begin to its end. */
  readonly elapsedMs: number
}

export interface RegisterRequest {
  readonly worker: WorkerId
  /** For people. */
  readonly host: string
  readonly pid: number
  readonly slots: number
  /** Where others fetch its map outputs; '' when it serves none. */
  readonly address: string
  readonly probe: Probe
  /** Polls so far: later ones count. */
  readonly poll: number
  readonly outputs: readonly HeldOutput[]
  readonly running: readonly AttemptId[]
}

export interface RegisterReply {
  /** Of this run of the coordinator: each restart begins another. */
  readonly epoch: number
  readonly job: JobSpec
  /** M, the number of map tasks. */
  readonly maps: number
  readonly leaseMs: number
  /** Where attempts leave their files when the folder is shared. */
  readonly attempts: Probe
}

export interface NextRequest {
  readonly worker: WorkerId
  readonly epoch: number
  /** Counts this worker's polls: one that comes late is not answered with work. */
  readonly poll: number
  readonly running: readonly AttemptId[]
}

export interface Assignment {
  readonly attempt: AttemptId
  /** Map: what to read. Reduce: empty. */
  readonly splits: readonly Split[]
  readonly skip: readonly BadRecord[]
  readonly skipMax: number
  /** Reduce: the version of the table of outputs that holds all it needs. */
  readonly outputs: number
}

export interface NextReply {
  /** Not known, or of an earlier epoch: register first. */
  readonly isUnknown: boolean
  readonly isOver: boolean
  readonly assignments: readonly Assignment[]
}

export interface ReportRequest {
  readonly worker: WorkerId
  readonly epoch: number
  readonly done: readonly DoneAttempt[]
  readonly failed: readonly { readonly attempt: AttemptId; readonly failure: AttemptFailure }[]
  readonly unfetched: readonly {
    readonly attempt: AttemptId
    readonly failures: readonly FetchFailure[]
  }[]
  /** Of those that are being made, not of those that wait. */
  readonly progress: readonly AttemptProgress[]
}

export interface ReportReply {
  readonly isUnknown: boolean
  readonly cancel: readonly AttemptId[]
}

/** One line of the table of map outputs; later lines of a map replace earlier ones. */
export interface OutputEntry {
  readonly map: number
  readonly attempt: number
  /** '' when the output is lost, and nobody has it. */
  readonly worker: WorkerId
  /** It emitted nothing: there is no file, and nothing to fetch. */
  readonly isEmpty?: boolean
}

export interface OutputsReply {
  readonly entries: readonly OutputEntry[]
  /** What to ask for next; the table is complete when this is not less than what the assignment named. */
  readonly version: number
  readonly workers: Readonly<Record<WorkerId, { readonly address: string; readonly probe: Probe }>>
}

export interface InputRequest {
  readonly file: string
  readonly position: number
  readonly length: number
}

export interface Upload {
  readonly attempt: AttemptId
  readonly name: string
  readonly position: number
  readonly bytes: Uint8Array
}

export interface SegmentsRequest {
  readonly map: AttemptId
  readonly partition: number
}

export interface ReadRequest {
  readonly map: AttemptId
  /** In the map's output. */
  readonly position: number
  /** At most {@link FETCH_BYTES_MAX}. */
  readonly length: number
}

export const CoordinatorService = service('mr', {
  register: unary<RegisterRequest, RegisterReply>(),
  next: unary<NextRequest, NextReply>(),
  report: unary<ReportRequest, ReportReply>(),
  outputs: unary<{ readonly since: number }, OutputsReply>(),
  input: unary<InputRequest, Uint8Array>({ response: bytesCodec }),
  upload: unary<Upload, boolean>({ request: uploadCodec() }),
  leave: unary<{ readonly worker: WorkerId }, boolean>(),
  status: unary<undefined, JobStatus>(),
})

export const ShuffleService = service('mr-shuffle', {
  /** Where a partition is in a map's output. */
  segments: unary<SegmentsRequest, readonly Segment[]>(),
  read: unary<ReadRequest, Uint8Array>({ response: bytesCodec }),
})

function uploadCodec(): Codec<Upload> {
  return {
    encode({ attempt, name, position, bytes }) {
      const { kind, task, attempt: number, worker } = attempt
      return new ByteWriter(bytes.length + 128)
        .u8(kind === 'map' ? 0 : 1)
        .varint(task)
        .varint(number)
        .text(worker)
        .text(name)
        .varint(position)
        .bytes(bytes)
        .finish()
    },
    decode(encoded) {
      const reader = new ByteReader(encoded)
      const attempt: AttemptId = {
        kind: reader.u8() === 0 ? 'map' : 'reduce',
        task: reader.varint(),
        attempt: reader.varint(),
        worker: reader.text(),
      }
      const upload = { attempt, name: reader.text(), position: reader.varint(), bytes: reader.bytes() }
      reader.end()
      return upload
    },
  }
}
