/** A machine lets go of the replicas of groups that left while it was down: whoever had them leave could not tell it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Clerk, type ClerkOptions } from '@lab/shardctrler/clerk'
import type { Replicas } from './replicas.ts'

const LOOK_MS = 15_000
/** The controller may be away for longer than this process lives. */
const CONNECT_MS = 2000

/** Looks at once and then now and then, until `signal` aborts. Never rejects: a controller that cannot be asked is asked later. */
export async function stopDeparted(
  replicas: Replicas,
  options: ClerkOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await stopOnce(replicas, options, signal).catch(() => undefined)
    await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

async function stopOnce(replicas: Replicas, options: ClerkOptions, signal: AbortSignal): Promise<void> {
  const clerk = await Clerk.connect({ ...options, connectTimeout: CONNECT_MS })
  try {
    const { gone } = await clerk.progress({ signal })
    for (const group of replicas.numbers) if (gone.includes(group)) await replicas.stop(group)
  } finally {
    await clerk.close()
  }
}
