/** `lab mr worker`: takes tasks of one job, until it is over. */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { endpointOf, runWorker, type Endpoint } from '@lab/mapreduce'
import type { Io } from '../io.ts'
import { flagsForTypes, loadTypes } from '../module-flags.ts'
import { usage } from '../parse.ts'

export interface WorkerFlags {
  readonly join: string
  readonly slots?: number
  readonly job?: string
  readonly dir?: string
  readonly listen?: string
  readonly insecure?: boolean
  readonly heap?: number
  readonly patience?: number
}

export async function work(flags: WorkerFlags, io: Io): Promise<void> {
  const { slots, job, dir, listen, insecure, heap, patience } = flags
  const { address, secret } = await endpointFrom(flags.join, io)
  loadTypes()
  await runWorker({
    join: address,
    secret,
    execArgv: flagsForTypes(),
    signal: io.signal,
    onEvent: (text) => {
      io.talk(text)
    },
    ...(slots === undefined ? {} : { slots }),
    ...(job === undefined ? {} : { module: resolve(io.cwd, job) }),
    ...(dir === undefined ? {} : { folder: resolve(io.cwd, dir) }),
    ...(listen === undefined ? {} : { listen }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(heap === undefined ? {} : { heapMb: heap }),
    ...(patience === undefined ? {} : { patienceMs: patience }),
  })
}

/** An output folder that we see tells where its job runs; of an address we must know the secret. */
export async function endpointFrom(where: string, { env, cwd }: Io): Promise<Endpoint> {
  const folder = resolve(cwd, where)
  if (!where.includes('://') && existsSync(folder) && statSync(folder).isDirectory())
    return endpointOf(folder)
  const secret = env['LAB_MR_SECRET'] ?? ''
  if (secret === '')
    throw usage(
      `${where} is no folder of a running job; for an address set LAB_MR_SECRET, as the coordinator printed it`,
    )
  return { address: where, secret }
}
