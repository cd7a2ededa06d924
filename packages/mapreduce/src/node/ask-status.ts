import { connect } from '@lab/rpc'
import type { JobStatus } from '../coordinator/status.ts'
import { CoordinatorService } from '../protocol.ts'
import { CLUSTER_ID } from './cluster-id.ts'
import type { Endpoint } from './endpoint.ts'
import { socketTransports } from './socket-transports.ts'

/** Asks a coordinator how far its job is. @throws {RpcError} `UNREACHABLE`, `UNAUTHORISED` */
export async function askStatus({ address, secret }: Endpoint): Promise<JobStatus> {
  const identity = { clusterId: CLUSTER_ID, token: secret }
  const transports = socketTransports()
  const client = await connect(CoordinatorService, address, { transports, identity, timeout: 2_000 })
  try {
    return await client.status()
  } finally {
    client.close()
  }
}
