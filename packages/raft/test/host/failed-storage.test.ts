/** "Failed sync is fatal", for whatever a process keeps: not for what a group writes alone. */
import { DiskError, type Disk } from '@lab/rpc'
import { World, type SimProcess } from '@lab/sim'
import { expect, test } from 'vitest'
import { RaftNode, type RaftError } from '../../src/index.ts'
import { fileStorage } from '../../src/storage/file/index.ts'
import { errorOf } from '../node/appender.ts'
import { HostCluster } from './host-cluster.ts'

test('a server that cannot remember whom it met stops, although its log has nothing to write', async () => {
  const world = new World({ seed: 1 })
  const [met, meets] = ['n1', 'n2'].map((id) => world.add(id).boot()) as [SimProcess, SimProcess]
  const start = ({ id, clock, random, transport }: SimProcess, disk: Disk): Promise<RaftNode> =>
    world.settle(
      RaftNode.start({
        ...{ id, clock, random, transport, storage: fileStorage('data', { disk, random }) },
        members: { n1: 'memory://n1', n2: 'memory://n2', n3: 'memory://n3' },
      }),
      10_000,
    )
  const node = await start(met, unsynced(met.disk, 'data/peers'))
  const other = await start(meets, meets.disk)
  await world.clock.advance(50) // Nobody asks for a vote so soon.
  expect(node.status().term).toBe(0)
  // It has stopped before anybody could listen, as a server may in the midst of its start.
  const told: RaftError[] = []
  node.on('fatal', ({ error }) => told.push(error))
  await world.clock.advance(0)
  expect(told).toMatchObject([{ code: 'STORAGE_FAILED' }])
  expect(told[0]?.message).toContain('data/peers')
  expect(await errorOf(node.readBarrier())).toMatchObject({ code: 'CLOSED' })
  await world.settle(other.close(), 10_000)
})

test('a group that rests stops with the log that it shares, when another could not be removed from it', async () => {
  const t = await HostCluster.start({ groups: [1, 2] })
  await t.rest()
  const told: string[] = []
  t.node('n1', 2).on('fatal', ({ error }) => told.push(error.code))
  t.world.machine('n1').disk.failureShare = 1
  expect(await t.settle(errorOf(t.host('n1').removeGroup(1)))).toMatchObject({ code: 'DISK_FAILED' })
  expect(told).toEqual(['STORAGE_FAILED'])
  expect(await errorOf(t.startGroup('n1', 1))).toMatchObject({ code: 'STORAGE_FAILED' })
  await t.settle(t.node('n2', 2).propose('the others go on'))
  await t.close()
  t.expectRules()
})

/** No sync of files whose path begins so succeeds. */
function unsynced(disk: Disk, path: string): Disk {
  const open = disk.open.bind(disk)
  disk.open = async (at, options) => {
    const file = await open(at, options)
    if (at.startsWith(path))
      file.sync = () => Promise.reject(new DiskError('DISK_FAILED', `${at} was not synced`))
    return file
  }
  return disk
}
