/** The machines: processes on sockets and, in memory, where there is only one process, objects. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { transportName } from '../shared/transport.ts'
import { startPlanned, type Machine, type Plan } from './machine.ts'

export async function startMachines(plan: Plan): Promise<ReadonlyMap<string, Machine>> {
  const start = transportName === 'memory' ? startPlanned : forkMachine
  const ids = Object.keys(plan.members)
  const machines = await Promise.all(ids.map((id) => start(id, plan)))
  return new Map(ids.map((id, at) => [id, machines[at] as Machine]))
}

async function forkMachine(id: string, plan: Plan): Promise<Machine> {
  const args = ['machine', id, JSON.stringify(plan), '--transport', transportName]
  const child = fork(join(import.meta.dirname, 'machine.ts'), args)
  await once(child, 'message')
  return {
    async startGroup(gid) {
      child.send(gid)
      await once(child, 'message')
    },
    async kill() {
      if (!child.kill('SIGKILL')) return
      await once(child, 'exit')
    },
  }
}
