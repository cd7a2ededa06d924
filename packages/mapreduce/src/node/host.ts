/** A coordinator that others can reach, by a port of its own. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { serve, type Server } from '@lab/rpc'
import type { JobReport } from '../coordinator/coordinator.ts'
import { coordinatorService } from '../coordinator/service.ts'
import { statusOf, type JobStatus } from '../coordinator/status.ts'
import { CLUSTER_ID } from './cluster-id.ts'
import { writeEndpoint } from './endpoint.ts'
import { moduleUrl } from './module-url.ts'
import { openCoordinator, type JobOptions } from './open-coordinator.ts'
import { socketTransports } from './socket-transports.ts'
import { withoutUndefined } from './without-undefined.ts'

export interface HostOptions extends JobOptions {
  /** Where workers reach us, by `tcp://` or `ws://`. Default `localhost:0`, by TCP. */
  readonly listen?: string
  /** Allows `listen` to be reached by other machines without TLS. */
  readonly insecure?: boolean
  /** What workers must know. Default: drawn. */
  readonly secret?: string
}

/** A job that waits for workers, or has some. */
export interface HostedJob {
  /** Where workers join. */
  readonly address: string
  /** What workers must know. */
  readonly secret: string
  /** Resolves when the output is whole. @throws {JobError} when the job failed, or was closed */
  readonly done: Promise<JobReport>
  status(): JobStatus
  /** A process of this machine has ended. If it was a worker, what it was at goes to others at once, whether its connection is known to be broken or not. */
  ended(pid: number): void
  /** Stops at once. What is done stays done, for a job that is hosted again with the same options. */
  close(): Promise<void>
}

/** Opens the coordinator and a port for workers. @throws {JobError} @throws {RpcError} `ADDRESS_IN_USE` */
export async function openHost(module: string | URL, options: HostOptions): Promise<HostedJob> {
  const { listen = 'localhost:0', secret = randomBytes(16).toString('hex'), insecure } = options
  const coordinator = await openCoordinator(moduleUrl(module), null, options)
  let server: Server
  try {
    server = await serve(
      {
        transports: socketTransports(),
        listen,
        token: secret,
        identity: { clusterId: CLUSTER_ID },
        ...withoutUndefined({ insecure }),
      },
      [coordinatorService(coordinator)],
    )
  } catch (error) {
    await coordinator.close()
    throw error
  }
  writeEndpoint(options.output, { address: server.address, secret })
  return {
    address: server.address,
    secret,
    done: coordinator.done,
    status: () => statusOf(coordinator),
    ended: (pid) => {
      for (const [worker, details] of coordinator.workers)
        if (details.pid === pid && details.host === hostname())
          void coordinator.step({ type: 'disconnected', worker })
    },
    close: async () => {
      await coordinator.close()
      await server.close({ drainMs: 0 })
      if (coordinator.failure === null) rmSync(coordinator.folder.attempts, { recursive: true, force: true })
    },
  }
}
