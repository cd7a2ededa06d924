/**
 * Five real servers on real disks under load, for ten minutes (`LAB_PROCESS_SECONDS` for another time): killed, stopped and
 * continued, and cut off from each other by proxies that fall silent or refuse. What clients saw must have an explanation, and every
 * acknowledged write must be there, once.
 */
import { seededRandom, sleep, systemClock, type Random } from '@lab/rpc'
import { expect, test } from 'vitest'
import { freePorts } from '../src/local/ports.ts'
import { PairProxies } from './pair-proxies.ts'
import { clerksOf, expectLinearizable, expectNothingLost, startLoad } from './real-clients.ts'
import { RealServers } from './real-servers.ts'

const SECONDS = Number(process.env['LAB_PROCESS_SECONDS'] ?? 600)
const SEED = Number(process.env['LAB_SEED'] ?? 2026)
const IDS = ['n1', 'n2', 'n3', 'n4', 'n5']
const CLIENTS = 10

/** One fault, and its end. */
type Fault = (servers: RealServers, proxies: PairProxies, random: Random) => Promise<void>

const kill: Fault = async (servers, _, random) => {
  const victims = shuffled(random).slice(0, random.next() < 0.15 ? IDS.length : random.integer(1, 2))
  await Promise.all(victims.map((id) => servers.kill(id)))
  await pause(random, 10, 500)
  await Promise.all(victims.map((id) => servers.start(id)))
}

const stop: Fault = async (servers, _, random) => {
  const victims = shuffled(random).slice(0, random.integer(1, 2))
  for (const id of victims) servers.signal(id, 'SIGSTOP')
  await pause(random, 100, 2500)
  for (const id of victims) servers.signal(id, 'SIGCONT')
}

const divide: Fault = async (_, proxies, random) => {
  const order = shuffled(random)
  const cut = random.integer(1, 2)
  const middle = random.next() < 0.25 ? 1 : 0 // One server that both sides reach.
  proxies.partition(
    [order.slice(0, cut + middle), order.slice(cut)],
    random.next() < 0.5 ? 'silent' : 'refused',
  )
  await pause(random, 300, 3000)
  proxies.join()
}

test(
  'five servers, killed, stopped and cut off from each other under load: linearizable, nothing lost, nothing done twice',
  { timeout: (SECONDS + 300) * 1000 },
  async () => {
    const random = seededRandom(SEED)
    const free = await freePorts(IDS.length)
    const ports = Object.fromEntries(IDS.map((id, at) => [id, free[at] as number]))
    const proxies = await PairProxies.start(ports)
    const servers: RealServers = new RealServers(ports, (from) => ({
      members: Object.fromEntries(
        IDS.map((to) => [
          to,
          from === to ? servers.address(to) : `tcp://127.0.0.1:${String(proxies.port(from, to))}`,
        ]),
      ),
    }))
    await Promise.all(IDS.map((id) => servers.start(id)))
    const connect = clerksOf(servers.addresses)
    const load = startLoad(CLIENTS, connect, SEED + 1)
    let faults = 0
    for (const end = Date.now() + SECONDS * 1000; Date.now() < end; faults++) {
      await pause(random, 100, 1500)
      const fault = [kill, stop, divide, divide][random.integer(0, 3)] as Fault
      await fault(servers, proxies, random)
    }
    await sleep(systemClock, 2000)
    const appended = await load.stop()
    await expectNothingLost(connect, appended)
    const acknowledged = appended.reduce((sum, one) => sum + one.acknowledged.size, 0)
    await servers.killAll()
    proxies.close()
    console.log(
      `Passed ${String(faults)} faults on five processes in ${String(SECONDS)} s: ${expectLinearizable(load.history)}, ` +
        `${String(acknowledged)} appends there once`,
    )
    expect(acknowledged).toBeGreaterThan(SECONDS)
  },
)

function shuffled(random: Random): string[] {
  const left = [...IDS]
  return IDS.map(() => left.splice(random.integer(0, left.length - 1), 1)[0] as string)
}

function pause(random: Random, msMin: number, msMax: number): Promise<void> {
  return sleep(systemClock, random.integer(msMin, msMax))
}
