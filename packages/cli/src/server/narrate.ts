import type { Logger } from '@lab/raft'
import type { HostedGroup } from './hosted.ts'

/** Tells a process's log what operators look for in it: who leads, who takes part, and when the process was held up. */
export function narrator(logger: Logger): (group: HostedGroup) => void {
  let stallToldAt = -Infinity
  const stall = (lateMs: number): void => {
    const now = performance.now()
    // Each group notices the same one: it began before another told it.
    if (now - lateMs < stallToldAt) return
    stallToldAt = now
    logger.warn(`the event loop stood still for ${Math.round(lateMs)} ms`)
  }
  return (group) => {
    narrate(group, logger)
    group.node.on('stall', ({ lateMs }) => {
      stall(lateMs)
    })
  }
}

function narrate({ name, node }: HostedGroup, logger: Logger): void {
  node.on('role', ({ role, term, why }) => {
    // Of a follower it is told whom it follows.
    if (role !== 'follower') logger.info(`${name}: ${role} of term ${term}: ${why}`)
  })
  node.on('leader', ({ leader, term }) => {
    logger.info(`${name}: ${leader ?? 'nobody'} leads, term ${term}`)
  })
  node.on('membership', ({ membership, index, difference }) => {
    if (difference !== null) logger.warn(`${name}: ${difference}`)
    else logger.info(`${name}: members since entry ${index}: ${membership.voters.join(' ')}`)
  })
}
