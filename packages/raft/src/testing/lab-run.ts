/** One run of one test of the labs: a clock of its own, the labs' limit, and the failure that says where it happened. */
import type { TraceEvent, TraceSink } from '@lab/rpc'
import { ManualClock, type LabNetwork } from '@lab/rpc/testing'
import { LabFailure, labRules } from './lab-failure.ts'
import type { LabResult } from './lab-interface.ts'
import { stampedSink } from './lab-trace.ts'

/** No single test of the labs may take longer. */
const LIMIT_MS = 120_000

/** What a test plays in. */
export interface LabWorld {
  readonly network: LabNetwork
  /** Rejects as soon as a rule is broken anywhere; never resolves. */
  readonly broken: Promise<never>
  /** Ends all that runs. */
  stop(): void
}

export interface LabRun<W extends LabWorld> {
  /** With the part: `Figure8 (2C)`. */
  readonly title: string
  readonly peers: number
  readonly unit: LabResult['unit']
  readonly make: (clock: ManualClock, trace: TraceSink | undefined) => W
  readonly play: (world: W) => Promise<void>
  readonly done: (world: W) => number
}

/** Plays one test from start to end, in virtual time. @throws {LabFailure} saying in which run and when */
export async function runLab<W extends LabWorld>(
  run: LabRun<W>,
  seed: number,
  trace?: (event: TraceEvent) => void,
): Promise<LabResult> {
  const clock = new ManualClock()
  const sink = trace === undefined ? undefined : stampedSink(clock, trace)
  const world = run.make(clock, sink)
  const limit = new Promise<never>((_, reject) => {
    clock.setTimer(LIMIT_MS, () => {
      reject(new LabFailure('inTime', labRules.inTime, 'the test was not over after 120 s'))
    })
  })
  try {
    await clock.settle(Promise.race([run.play(world), world.broken, limit]))
    return {
      title: run.title,
      seed,
      seconds: clock.now() / 1000,
      peers: run.peers,
      rpcs: world.network.totalCount,
      bytes: world.network.totalBytes,
      done: run.done(world),
      unit: run.unit,
    }
  } catch (thrown) {
    if (!(thrown instanceof LabFailure)) throw thrown
    sink?.({ n: '', k: 'invariant', rule: thrown.code, why: thrown.message.replaceAll('\n ', ';') })
    throw thrown.in(run.title, seed, clock.now())
  } finally {
    world.stop()
  }
}
