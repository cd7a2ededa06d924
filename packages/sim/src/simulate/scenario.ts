import type { Clock, Milliseconds, Random, TraceEvent } from '@lab/rpc'
import type { Operation, Outcome } from '../history/operation.ts'
import type { Model } from '../linearizability/model.ts'
import type { SimProcess } from '../machine/machine.ts'
import type { FaultKind, FaultName } from '../nemesis/fault.ts'

/**
 * What is simulated: how a server is started, what clients do, and what must hold. The simulator adds the rest: machines, a
 * network, faults, time.
 *
 * @typeParam Server what `start` gives @typeParam Client what `connect` gives @typeParam Op one operation; JSON can hold it
 */
export interface Scenario<Server = unknown, Client = unknown, Op = unknown, Result = unknown> {
  readonly name: string
  /** How many servers a seed may draw. Default: 3 or 5. */
  readonly nodes?: readonly number[]
  /** How many clients a seed may draw. Default: 3 to 5. */
  readonly clients?: readonly number[]
  /** How long faults and clients go on, in virtual time. Default 4 s. */
  readonly durationMs?: Milliseconds
  /** How many operations all clients begin in a second. Default: 10, 25 or 50, by the seed. */
  readonly operationsPerSecond?: number
  /** Faults that the scenario can stand. Default: all. */
  readonly faults?: readonly FaultName[]
  /** How far clocks may run apart, as a part of one, where the scenario relies on them. Default: as far as faults like. */
  readonly clockDriftMax?: number
  /** How many servers, besides those that the cluster begins with, wait for an operator to add them. Default 0. */
  readonly spares?: number
  /**
   * Starts a server: at first, and after each crash with what the disk kept. It listens at `memory://<id>`. When it rejects, or
   * `process.exit` is called, it is started again a little later.
   */
  start(process: SimProcess, cluster: Cluster): Promise<Server>
  /** A client that will perform operations. Clients do not crash. */
  connect?(process: SimProcess, cluster: Cluster): Promise<Client>
  /** An operation of the workload. */
  draw?(random: Random, place: { readonly client: string; readonly count: number }): Op
  perform?(client: Client, op: Op): Promise<Result>
  /** What a rejection of `perform` means. Default: an error's `outcome: 'not-applied'` is `fail`, all else `unknown`. */
  outcomeOf?(thrown: unknown): Exclude<Outcome, 'ok'>
  /** Histories of clients are held against it. */
  readonly model?: Model<unknown, Op, Result>
  /** Who leads: faults look for it half of the time. */
  leader?(servers: ReadonlyMap<string, Server>): string | null
  /** A server that refuses to start for good, such as one that found its disk damaged: then it stays down. */
  isFinal?(thrown: unknown): boolean
  /** Somebody changes the cluster: adds and removes servers, hands over leadership. With it, seeds draw such moments. */
  operate?(draw: number, operated: Operated<Server>): void
  /** In which part of all seeds that is so, and after how long on average. Default: half of them, 700 ms. */
  readonly operateShare?: number
  readonly operateGapMs?: Milliseconds
  /** Invariants, made anew for each run. */
  watch?(run: Watched<Server>): Watcher<Op, Result>
}

/** Who takes part. */
export interface Cluster {
  /** Names of the servers that it begins with: n1, n2, … */
  readonly nodes: readonly string[]
  /** Where they are reached: `memory://n1`, … */
  readonly addresses: readonly string[]
  /** Names of those that wait to be added: s1, s2, … */
  readonly spares: readonly string[]
  /** Who has to join: spares, and those whose disks were emptied. */
  readonly joins: ReadonlySet<string>
}

/** What an operator has at hand. */
export interface Operated<Server> extends Watched<Server> {
  /** The world's. */
  readonly clock: Clock
  /** Stops the server of a machine, empties its disk, and starts it anew: from then on it waits to be added. */
  wipe(machine: string): void
  /** Something goes wrong now, for so long: for somebody who aims. @returns ends it earlier */
  strike(kind: FaultKind, forMs: Milliseconds): () => void
}

/** What invariants may look at. */
export interface Watched<Server> {
  readonly cluster: Cluster
  /** Those that run, by name. */
  readonly servers: ReadonlyMap<string, Server>
}

/** Invariants of one run. Each method throws when one is broken, with what was seen. */
export interface Watcher<Op = unknown, Result = unknown> {
  /** Each event of the trace, as it happens. */
  event?(event: TraceEvent): void
  /** After every step, with all that it set off done. */
  step?(): void
  /** The process of a machine has ended: killed, crashed or by itself. */
  ended?(node: string): void
  /** Is all well again? Asked after the faults have ended, until it says so. Default: at once. */
  hasConverged?(): boolean
  /** At the end, with everything that clients saw. */
  end?(operations: readonly Operation<Op, Result>[]): void
}
