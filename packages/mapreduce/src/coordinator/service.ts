/** How the coordinator answers: each call becomes inputs of the schedule. */
import { assert, implement, onAbort, type CallContext, type Implementation } from '@lab/rpc'
import type { Input } from '../core/decision.ts'
import type { WorkerId } from '../core/task.ts'
import {
  CoordinatorService,
  type DoneAttempt,
  type NextReply,
  type NextRequest,
  type OutputsReply,
  type RegisterReply,
  type RegisterRequest,
  type ReportReply,
  type ReportRequest,
  type Upload,
} from '../protocol.ts'
import type { Coordinator } from './coordinator.ts'
import { statusOf } from './status.ts'

/** A poll is answered at the latest after so long, with nothing, for the worker to see that we live. */
const POLL_MS_MAX = 3_000

/** To be given to `serve`, with a token: what a worker runs is code that the coordinator names. */
export function coordinatorService(coordinator: Coordinator): Implementation {
  return implement(CoordinatorService, {
    register: (request) => register(coordinator, request),
    next: (request, context) => next(coordinator, request, context),
    report: (request) => report(coordinator, request),
    outputs: ({ since }) => outputs(coordinator, since),
    input: ({ file, position, length }) => {
      const isInput = coordinator.options.splits.some((splits) => splits.some((split) => split.file === file))
      assert(isInput, `${file} belongs to the input`)
      return coordinator.options.readInput(file, position, length)
    },
    upload: (upload) => receive(coordinator, upload),
    status: () => statusOf(coordinator),
    leave: async ({ worker }) => {
      await coordinator.step({ type: 'left', worker })
      return true
    },
  })
}

async function register(coordinator: Coordinator, request: RegisterRequest): Promise<RegisterReply> {
  const { worker, host, pid, slots, address, probe, poll, outputs: held, running } = request
  const keepsOutputs = await coordinator.sees(probe)
  await coordinator.place(worker, { address, probe }, keepsOutputs)
  coordinator.workers.set(worker, { host, pid, slots, address, probe, lastPoll: poll, cancel: [] })
  coordinator.polls.drop(worker)
  await coordinator.step({ type: 'register', worker, slots, keepsOutputs, outputs: held, running })
  // After a restart others may have read of its outputs, and not of where it is.
  for (const { winner } of coordinator.schedule.state.maps)
    if (winner?.worker === worker) coordinator.table.add(winner, winner.result)
  const { job } = coordinator.options
  const { leaseMs } = coordinator.schedule.state.options
  return {
    epoch: coordinator.epoch,
    job,
    maps: coordinator.options.splits.length,
    leaseMs,
    attempts: coordinator.probe,
  }
}

function isUnknown(coordinator: Coordinator, worker: WorkerId, epoch: number): boolean {
  return epoch !== coordinator.epoch || (!coordinator.isFinished && !coordinator.schedule.knows(worker))
}

async function next(
  coordinator: Coordinator,
  { worker, epoch, poll, running }: NextRequest,
  { signal }: CallContext,
): Promise<NextReply> {
  const details = coordinator.workers.get(worker)
  if (details === undefined || isUnknown(coordinator, worker, epoch)) return unknownReply(coordinator)
  if (poll <= details.lastPoll) return { isUnknown: false, isOver: false, assignments: [] }
  details.lastPoll = poll
  const { polls } = coordinator
  await coordinator.step({ type: 'ask', worker, running: [...running, ...polls.untold(worker)] })
  if (polls.untold(worker).length === 0 && !coordinator.isFinished)
    await waitForWork(coordinator, worker, signal)
  // A broken connection takes nothing: the worker polls again and is given the same.
  const assignments = signal.aborted || details.lastPoll !== poll ? [] : polls.take(worker)
  return { isUnknown: isUnknown(coordinator, worker, epoch), isOver: coordinator.isFinished, assignments }
}

function unknownReply({ isFinished }: Coordinator): NextReply {
  return { isUnknown: !isFinished, isOver: isFinished, assignments: [] }
}

async function waitForWork(coordinator: Coordinator, worker: WorkerId, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const timer = coordinator.clock.setTimer(POLL_MS_MAX, () => {
    coordinator.polls.release(worker)
  })
  const stopListening = onAbort(signal, () => {
    coordinator.polls.release(worker)
    void coordinator.step({ type: 'disconnected', worker })
  })
  await coordinator.polls.wait(worker)
  stopListening()
  timer.cancel()
}

async function report(coordinator: Coordinator, request: ReportRequest): Promise<ReportReply> {
  const { worker, epoch, done, failed, unfetched, progress } = request
  const details = coordinator.workers.get(worker)
  if (details === undefined || isUnknown(coordinator, worker, epoch))
    return { isUnknown: !coordinator.isFinished, cancel: progress }
  const ends = await Promise.all(done.map((one) => endOf(coordinator, one)))
  await coordinator.step([
    ...ends,
    ...failed.map((one) => ({ type: 'failed' as const, ...one })),
    ...unfetched.map((one) => ({ type: 'fetch-failed' as const, ...one })),
    { type: 'beat', worker, progress },
  ])
  return { isUnknown: false, cancel: details.cancel.splice(0) }
}

/** Believes in files only when it sees them whole: a reduce's word is its files. */
async function endOf(
  { folder }: Coordinator,
  { result, elapsedMs, ...attempt }: DoneAttempt,
): Promise<Input> {
  if (await folder.has(attempt, result.files)) return { type: 'done', attempt, result, elapsedMs }
  const message = `${result.files.map(({ name }) => name).join(', ')}: not whole in ${folder.attempts}`
  return { type: 'failed', attempt, failure: { reason: 'machine', message, stack: '', record: null } }
}

function outputs({ table, places }: Coordinator, since: number): OutputsReply {
  const entries = table.since(since)
  const named = new Set(entries.map(({ worker }) => worker))
  return {
    entries,
    version: since + entries.length,
    workers: Object.fromEntries([...places].filter(([id]) => named.has(id))),
  }
}

/** Chunks of an attempt's file come in order, each once; one that is repeated says the same again. */
async function receive(
  coordinator: Coordinator,
  { attempt, name, position, bytes }: Upload,
): Promise<boolean> {
  const { disk } = coordinator.options
  if (coordinator.isFinished) return false
  const file = await disk.open(coordinator.folder.attemptPath(attempt, name), { create: true })
  try {
    await file.write(bytes, position)
  } finally {
    await file.close()
  }
  return true
}
