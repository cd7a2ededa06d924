// The sharded store: three machines serve two groups, a third group joins, and nobody who writes has to wait for it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Clerk as ControllerClerk, gidsOf, shardsOf, type Config } from '@lab/shardctrler'
import { Clerk, shardOf } from '@lab/shardkv'
import { freeAddresses } from '../shared/ports.ts'
import { startMachine, transport } from '../shared/shard-machine.ts'

const SHARDS = 16
const members = await freeAddresses(['m1', 'm2', 'm3'])
const servers = Object.values(members)
const folder = mkdtempSync(join(tmpdir(), 'sharded-'))
const machines = await Promise.all(
  Object.keys(members).map((id) =>
    startMachine(id, members, { folder: join(folder, id), groups: [100, 101], shards: SHARDS }),
  ),
)

const controller = await ControllerClerk.connect({ servers, transport })
const clerk = await Clerk.connect({ controllers: servers, transport })

/** One letter for each shard: who serves it. */
const map = ({ shards }: Config): string =>
  shards.map((gid) => (gid === 0 ? '.' : 'ABC'.charAt(gid - 100))).join('')
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))
const config = async (num: number): Promise<Config> => {
  for await (const next of controller.watch({ after: num - 1 })) return next
  throw new Error('the watch has ended')
}

const before = await config(1)
console.log(`configuration 1  ${map(before)}  A is group 100, B is group 101`)

// Keys are spread over the shards by their hash; those with the same {tag} are in one shard, and change together.
const ships = Array.from({ length: 40 }, (_, i) => `{ship-${i + 1}}/log`)
const key = (text: string): number => shardOf(before, new TextEncoder().encode(text))
console.log(`${ships.length} ships keep a log, in ${new Set(ships.map(key)).size} of ${SHARDS} shards`)
console.log(`in one shard: ${String(key('{ship-7}/log') === key('{ship-7}/captain'))}`)

// Each ship appends one day after the other, for as long as the shards move.
const days = new Map(ships.map((ship) => [ship, 0]))
let sailing = true
const voyages = ships.map(async (ship) => {
  for (let day = 1; sailing; day++) {
    await clerk.append(ship, `day ${day}\n`)
    days.set(ship, day)
  }
})

// A group joins: first its replicas run, then the controller gives it its share.
while (Math.min(...days.values()) === 0) await tick()
const then = new Map(days)
await Promise.all(machines.map((machine) => machine.startGroup(102)))
await controller.join({ 102: servers })
const after = await config(2)
console.log(`configuration 2  ${map(after)}  C is group 102`)
const moved = after.shards.flatMap((gid, shard) => (gid === before.shards[shard] ? [] : [shard]))
for (const shard of moved)
  console.log(`shard ${shard}: ${before.shards[shard] ?? 0} → ${after.shards[shard] ?? 0}`)
console.log(
  `each group has ${gidsOf(after)
    .map((gid) => shardsOf(after, gid).length)
    .join(', ')} shards`,
)

// Until every group says that it has what the configuration gives it.
const hasMoved = async (): Promise<boolean> => {
  const { finished } = await controller.progress()
  return [100, 101, 102].every((gid) => (finished[gid] ?? 0) >= after.num)
}
while (!(await hasMoved())) await tick()
sailing = false
await Promise.all(voyages)
const wrote = ships.filter((ship) => (days.get(ship) ?? 0) > (then.get(ship) ?? 0))
console.log(`${moved.length} shards have moved; ${wrote.length} ships wrote on meanwhile`)

// Read back: no day is missing, none is there twice, also where the same append was sent to the old group and to the new one.
const wanted = (ship: string): string =>
  Array.from({ length: days.get(ship) ?? 0 }, (_, i) => `day ${i + 1}\n`).join('')
const logs = await Promise.all(ships.map(async (ship) => (await clerk.getText(ship)) === wanted(ship)))
console.log(`${logs.filter((isRight) => isRight).length} logs hold every day once, in order`)

await Promise.all([clerk.close(), controller.close()])
await Promise.all(machines.map((machine) => machine.close()))
rmSync(folder, { recursive: true, force: true })
