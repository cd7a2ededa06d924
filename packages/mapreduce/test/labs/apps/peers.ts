/** What mtiming and rtiming share: how many processes do the same thing at the same time. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Leaves a file of this process, waits, and counts the living processes that left one. */
export async function countPeers(folder: string, phase: string, waitMs: number): Promise<number> {
  const own = join(folder, `mr-worker-${phase}-${String(process.pid)}`)
  writeFileSync(own, 'x')
  // The labs count first and wait afterwards; whoever begins a little earlier would count alone.
  await wait(waitMs / 2)
  const peers = readdirSync(folder).filter((name) => name.startsWith(`mr-worker-${phase}-`) && isAlive(name))
  await wait(waitMs / 2)
  rmSync(own, { force: true })
  return peers.length
}

function isAlive(name: string): boolean {
  try {
    process.kill(Number(name.slice(name.lastIndexOf('-') + 1)), 0)
    return true
  } catch {
    return false
  }
}
