/** Two masters of a Redis Cluster, and half of the slots moved from one to the other by Redis' own tool. */
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { RedisServers } from './redis.ts'
import type { RedisClient } from './redis-client.ts'

const SLOTS = 16_384
const CALLERS = 256
const POLL_MS = 100

/** Writes twice as many keys as are to move, all to one server, and moves half of the slots. Each write is synced, without replicas. */
export async function reshard(
  program: string,
  keys: number,
  value: Uint8Array,
): Promise<{ readonly keys: number; readonly seconds: number }> {
  const redis = await RedisServers.start(program, 2, ['--cluster-enabled', 'yes'])
  try {
    const [from, to] = [await redis.client(16, 0), await redis.client(1, 1)]
    await from.command('CLUSTER', 'ADDSLOTSRANGE', '0', String(SLOTS - 1))
    await from.command('CLUSTER', 'MEET', '127.0.0.1', String(redis.ports[1]))
    while (!((await knows(from)) && (await knows(to)))) await sleep(POLL_MS)
    let next = 0
    const caller = async (): Promise<void> => {
      while (next < 2 * keys) await from.command('SET', `key-${String(next++)}`, value)
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
    const [source, target] = [await idOf(from), await idOf(to)]
    const where = ['--cluster', 'reshard', `127.0.0.1:${String(redis.ports[0])}`]
    const what = ['--cluster-from', source, '--cluster-to', target, '--cluster-slots', String(SLOTS / 2)]
    const begun = performance.now()
    await promisify(execFile)(join(dirname(program), 'redis-cli'), [...where, ...what, '--cluster-yes'], {
      maxBuffer: 2 ** 30,
    })
    const seconds = (performance.now() - begun) / 1000
    const moved = Number((await to.command('DBSIZE'))?.toString())
    from.close()
    to.close()
    return { keys: moved, seconds }
  } finally {
    await redis.stop()
  }
}

/** Both servers, and every slot. */
async function knows(client: RedisClient): Promise<boolean> {
  const info = (await client.command('CLUSTER', 'INFO'))?.toString() ?? ''
  return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:2')
}

async function idOf(client: RedisClient): Promise<string> {
  return (await client.command('CLUSTER', 'MYID'))?.toString() ?? ''
}
