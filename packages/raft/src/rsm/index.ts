/**
 * Sessions (thesis §6.3) for a machine that keeps several of them: a sharded store has one table a shard, which moves with the
 * shard from log to log. Such a machine runs a {@link ReplicatedMachine} for each part, and its clients a {@link Proposer} each.
 *
 *     Proposer ─ envelope ─▶ Route ─ your command around it ─▶ the log ─▶ your machine ─ envelope ─▶ ReplicatedMachine.execute
 */
export { ReplicatedMachine, type ReplicatedMachineOptions } from './replicated-machine.ts'
export { commandAt, decodeEnvelope, encodeOpen, encodePlain, type SessionRule } from './envelope.ts'
export { decodeReply, resultOf, type Reply } from './reply.ts'
export { Proposer, type ProposerOptions } from '../calls/proposer.ts'
export { reasonOf } from '../calls/bounded.ts'
export { Deadlines } from '../calls/deadlines.ts'
export type { Attempt, AttemptOptions, Route } from '../calls/route.ts'
export { attempt, type Sending } from '../calls/sending.ts'
export { crc32 } from '../crc32.ts'
