import {
  mustHold,
  registerModel,
  type Model,
  type Operation,
  type RegisterOp,
  type RegisterResult,
  type Scenario,
} from '@lab/sim'
import type { Random } from '@lab/rpc'
import type { RaftClient } from '../../client.ts'
import type { Consistency } from '../../reads.ts'
import { stateMachine, type JsonStateMachine } from '../../shorthand.ts'
import { raftScenario, type RaftScenarioOptions, type RaftServer } from './scenario.ts'

/** A read says how fresh it must be and who is asked; the rest are commands. */
export type RegistersOp =
  | (Extract<RegisterOp, { op: 'read' }> & {
      readonly consistency: Consistency
      readonly from: 'leader' | 'any'
    })
  | Exclude<RegisterOp, { op: 'read' }>

export type RegistersWrite = Exclude<RegistersOp, { op: 'read' }>
export type RegistersMachine = JsonStateMachine<
  Record<string, string>,
  RegistersWrite,
  RegisterResult,
  string,
  string | null
>

/** Keys that all clients share: so few and so often that a read meets what was written a moment ago. */
const KEYS = 2
const OPERATIONS_PER_SECOND = 80
/** Who waits longer for a leader that is cut off writes nothing elsewhere before the lease ends, and then no lease is ever wrong. */
const ATTEMPT_TIMEOUT_MS = 30
/** Leases bear a tenth: one clock this much too fast and another this much too slow are just within. */
const CLOCK_DRIFT_MAX = 0.04

const model: Model<string | null, RegistersOp, RegisterResult> = {
  ...registerModel,
  // Of a stale read nothing is promised to the moment.
  step: (state, op, result) => (isStale(op) ? { state } : registerModel.step(state, op, result)),
  describe: (op, result) =>
    `${op.op === 'read' ? `${op.consistency} ` : ''}${registerModel.describe?.(op, result) ?? op.op}`,
}

/**
 * The scenario `reads`: clients write and compare registers, and read them in every way that there is, leases included, at leaders
 * that may be none any more. What is linearizable must be; a stale read must have been true once.
 *
 * @param instead for a scenario with the same clients
 */
export function registersScenario(
  instead: Partial<RaftScenarioOptions<RegistersMachine, RegistersOp>> = {},
): Scenario<
  RaftServer<RegistersMachine>,
  RaftClient<RegistersWrite, RegisterResult>,
  RegistersOp,
  RegisterResult
> {
  return raftScenario<RegistersMachine, RegistersOp>({
    name: 'reads',
    leases: true,
    clockDriftMax: CLOCK_DRIFT_MAX,
    // What brings about leaders that are none any more, and makes late what they hear; a damaged disk adds nothing to that.
    faults: [
      ...(['coup', 'coup', 'coup', 'pause', 'clock-rate', 'clock-rate', 'slow-disk'] as const),
      ...(['partition', 'one-way', 'crash', 'operate'] as const),
    ],
    attemptTimeout: ATTEMPT_TIMEOUT_MS,
    operationsPerSecond: OPERATIONS_PER_SECOND,
    stateMachine: registersMachine,
    draw: drawRegistersOp,
    perform: async (client, op, timeout) => {
      if (op.op !== 'read') return client.propose(op, { timeout })
      const { key, consistency, from } = op
      return (await client.read(key, { timeout, consistency, from })) as string | null
    },
    model,
    digest: ({ state }) => JSON.stringify(Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1))),
    judge: (_machine, operations) => wereTrueOnce(operations),
    ...instead,
  })
}

/** Registers that hold nothing at first. */
export function registersMachine(): RegistersMachine {
  return stateMachine({
    initial: {},
    apply: write,
    query: (registers, key: string) => registers[key] ?? null,
  })
}

function write(registers: Record<string, string>, op: RegistersWrite): RegisterResult {
  if (op.op === 'cas' && (registers[op.key] ?? null) !== op.expected) return false
  registers[op.key] = op.value
  return op.op === 'cas' ? true : null
}

/** Of a client that writes as often as it reads. */
export function drawRegistersOp(
  random: Random,
  { client, count }: { readonly client: string; readonly count: number },
): RegistersOp {
  const key = `r${String(random.integer(1, KEYS))}`
  const value = `${client}.${String(count)}`
  const dice = random.next()
  if (dice < 0.3) return { op: 'write', key, value }
  if (dice < 0.4) return { op: 'cas', key, value, expected: null }
  const consistency = dice < 0.8 ? 'lease' : dice < 0.93 ? 'linearizable' : 'stale'
  return { op: 'read', key, consistency, from: random.next() < 0.5 ? 'leader' : 'any' }
}

/** Of one that is never held up by a write: it goes on reading at whoever leads, as long as that one answers. */
export function drawLeaseRead(random: Random): RegistersOp {
  const key = `r${String(random.integer(1, KEYS))}`
  return { op: 'read', key, consistency: 'lease', from: 'leader' }
}

function isStale(op: RegistersOp): boolean {
  return op.op === 'read' && op.consistency === 'stale'
}

/** A stale read gives what was written, or nothing, and not what nobody had begun to write yet. */
function wereTrueOnce(operations: readonly Operation<RegistersOp, RegisterResult>[]): void {
  const begun = new Map<RegisterResult | undefined, number>([[null, 0]])
  for (const { op, call } of operations) if (op.op !== 'read') begun.set(op.value, call)
  for (const { op, outcome, result, return: end } of operations)
    if (isStale(op) && outcome === 'ok')
      mustHold(
        (begun.get(result) ?? Infinity) <= end,
        `a stale read of ${op.key} gave ${String(result)}, which nobody had written`,
      )
}
