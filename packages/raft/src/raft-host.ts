/**
 * One process that is a member of many groups:
 *
 *     const host = await RaftHost.start({ id: 'n1', listen: 'localhost:7001', transport: tcp(), storage: fileHostStorage('./data/n1') })
 *     const accounts = await host.startGroup({ group: 1, members, stateMachine: new Accounts() })
 *
 * All groups share a port, one connection to each other process, one log with one sync, and one heartbeat.
 */
import type { Address, Server } from '@lab/rpc'
import { RaftError, badRequest } from './errors.ts'
import { checkHostOptions, type RaftGroupOptions, type RaftHostOptions } from './host-options.ts'
import { Host } from './host/host.ts'
import { manyGroups } from './host/stored-groups.ts'
import { forgetAdded } from './joining.ts'
import { RaftNode } from './node.ts'
import { checkGroup, checkOptions, checkStorage } from './options.ts'
import { Runtime } from './runtime.ts'
import type { StateMachine } from './state-machine.ts'
import type { NodeId } from './types.ts'

export class RaftHost {
  readonly #options: RaftHostOptions
  readonly #host: Host
  /** Groups that are starting, running or stopping: a number is used once at a time. */
  readonly #busy = new Set<number>()

  /**
   * Opens the storage and listens. Groups take part once they are started; messages for others are dropped, as by a server that
   * is down.
   *
   * @throws {RaftError} `BAD_REQUEST` on an option that is not acceptable, with its value
   * @throws {StorageError} when the storage cannot be used, with what to do
   * @throws {RpcError} `ADDRESS_IN_USE`, `BAD_ADDRESS`
   */
  static async start(options: RaftHostOptions): Promise<RaftHost> {
    const settings = checkHostOptions(options)
    checkStorage(options.storage)
    const stored = manyGroups(options.storage)
    const host = await Host.open({ options, settings, stored, beats: true })
    try {
      await host.listen(options.services ?? [])
    } catch (thrown) {
      await host.close()
      throw thrown
    }
    for (const note of host.notes) options.logger?.warn(note)
    return new RaftHost(options, host)
  }

  private constructor(options: RaftHostOptions, host: Host) {
    this.#options = options
    this.#host = host
  }

  get id(): NodeId {
    return this.#host.settings.id
  }

  /** Where this process listens; the first of them, complete, with the real port. */
  get address(): Address {
    return this.server.address
  }

  /** For services of the app's own. */
  get server(): Server {
    return this.#host.server
  }

  /** What people should know about this start: a torn tail was truncated, the disk is not durable. */
  get notes(): readonly string[] {
    return this.#host.notes
  }

  /** Numbers of the groups that run here, ascending. */
  get groups(): readonly number[] {
    return [...this.#host.groups.keys()].sort((a, b) => a - b)
  }

  /**
   * Restores the group from the storage and takes part in it; with `join` and nothing stored it waits to be added, with
   * `changeMembership` at a member. Its node is like any other; closing it stops this group alone, and it
   * may be started again.
   *
   * @throws {RaftError} `BAD_REQUEST` on an option that is not acceptable, or when the group runs already · `CLOSED`
   * @throws {StorageError}
   */
  async startGroup<M extends StateMachine = StateMachine>(
    options: RaftGroupOptions<M>,
  ): Promise<RaftNode<M>> {
    const group = checkGroup(options.group)
    const all = { ...this.#options, ...options }
    const settings = checkOptions<M>(all)
    if (this.#busy.has(group)) throw badRequest(`group ${group} runs already, or has not stopped yet`)
    this.#host.checkOpen()
    this.#busy.add(group)
    const end = async (why: string): Promise<void> => {
      await this.#host.groups.get(group)?.stop(why)
      this.#busy.delete(group)
    }
    try {
      const runtime = await Runtime.open({ host: this.#host, group, options: all, settings, end })
      await runtime.begin()
      return new RaftNode<M>(runtime, all)
    } catch (thrown) {
      await end('did not start')
      throw thrown
    }
  }

  /**
   * Stops the group, if it runs, and forgets all that it kept, durably; its number may then be used for a new one. It is no change of
   * membership: first have the group itself go on without this process.
   *
   * @throws {RaftError} `CLOSED` @throws {StorageError}
   */
  async removeGroup(group: number): Promise<void> {
    checkGroup(group)
    this.#host.checkOpen()
    await this.#host.groups.get(group)?.close()
    if (this.#busy.has(group)) throw new RaftError('BUSY', `group ${group} is starting or stopping`)
    this.#busy.add(group)
    try {
      await this.#host.stored.removeGroup(group)
      // Last: one that has forgotten all must not take itself for one of the first members.
      await forgetAdded(this.#host.firstMet, this.id, group)
    } finally {
      this.#busy.delete(group)
    }
  }

  /** Stops all groups. What waits fails with `CLOSED`; ports, files and timers are given back when it resolves. Idempotent. */
  close(): Promise<void> {
    return this.#host.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
