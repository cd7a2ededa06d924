/** What Slurm starts for `lab mr slurm`, as often as it has tasks. */
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { endpointOf, runWorker, type Endpoint } from '@lab/mapreduce'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { flagsForTypes, loadTypes } from '../module-flags.ts'
import { usage } from '../parse.ts'
import { coordinateFile } from './run.ts'
import { TASK_VARIABLE, type SlurmTask } from './slurm.ts'

/** Until task 0 has loaded the job and looked at its input. */
const COORDINATOR_MS_MAX = 120_000
const LOOK_MS = 100

export async function slurmTask(io: Io): Promise<void> {
  const given = io.env[TASK_VARIABLE] ?? ''
  const number = io.env['SLURM_PROCID']
  if (given === '' || number === undefined) throw usage('this is what lab mr slurm has Slurm start')
  const task = JSON.parse(given) as SlurmTask
  loadTypes()
  const listen = task.listen.replaceAll('%h', hostname())
  if (number === '0') await coordinateTask(task, listen, io)
  else await workTask(task, listen, io)
}

async function coordinateTask({ file, flags, secret }: SlurmTask, listen: string, io: Io): Promise<void> {
  const env = { ...io.env, LAB_MR_SECRET: secret }
  await coordinateFile(file, { ...flags, listen }, { ...io, env })
}

async function workTask({ file, flags, secret }: SlurmTask, listen: string, io: Io): Promise<void> {
  const { slots, heap, insecure } = flags
  const { address } = await coordinatorOf(resolve(io.cwd, flags.out), secret, io)
  await runWorker({
    ...{ join: address, secret, listen, module: file, execArgv: flagsForTypes(), signal: io.signal },
    ...(slots === undefined ? {} : { slots }),
    ...(heap === undefined ? {} : { heapMb: heap }),
    ...(insecure === undefined ? {} : { insecure }),
  })
}

/** Waits for task 0 of this step: what an earlier one left in the folder has another secret. */
async function coordinatorOf(output: string, secret: string, { signal }: Io): Promise<Endpoint> {
  for (let waited = 0; waited < COORDINATOR_MS_MAX; waited += LOOK_MS) {
    const endpoint = await endpointOf(output).catch(() => null)
    if (endpoint?.secret === secret) return endpoint
    await wait(LOOK_MS, undefined, { signal })
  }
  throw new CliError('UNAVAILABLE', `task 0 left no address in ${output}: do all nodes share this folder?`)
}
