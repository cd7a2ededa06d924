import type { Logger } from '@lab/raft'
import { toError } from '@lab/rpc'
import type { HostedGroup } from './hosted.ts'

/** A server that stops does not wait longer for a successor: the others elect one when it is gone. */
const HAND_OVER_MS = 1000

/** Has others lead what this server leads, so that clients need not wait for an election timeout (thesis §3.10). */
export async function handOverLeadership(groups: readonly HostedGroup[], logger: Logger): Promise<void> {
  await Promise.all(
    groups.map(async ({ name, node }) => {
      const { role, voters } = node.status()
      if (role !== 'leader' || voters.length < 2) return
      try {
        const { leader } = await node.transferLeadership(undefined, { timeout: HAND_OVER_MS })
        logger.info(`${name}: leadership handed over to ${leader ?? 'nobody yet'}`)
      } catch (thrown) {
        logger.warn(`${name}: leadership was not handed over: ${toError(thrown).message}`)
      }
    }),
  )
}
