/** Whose folder this is: written once, when the folder is made, and checked at every start. */
import type { Disk, Random } from '@lab/rpc'
import { StorageError, type Identity } from '../../storage.ts'
import { incarnationFrom } from '../incarnation.ts'
import { corrupt } from './errors.ts'
import { FORMAT_VERSION } from './format.ts'
import { readFileWhole, replaceFile } from './named-file.ts'

export const IDENTITY_NAME = 'identity'

export type Owner = Omit<Identity, 'incarnation'>

/** @throws {StorageError} `WRONG_NODE`, `WRONG_CLUSTER`, `VERSION`, `CORRUPT` */
export async function readIdentity(disk: Disk, directory: string, owner: Owner): Promise<Identity> {
  const { format, clusterId, nodeId, incarnation } = fieldsOf(
    await readFileWhole(disk, directory, IDENTITY_NAME),
  )
  if (typeof format === 'number' && format > FORMAT_VERSION)
    throw new StorageError(
      'VERSION',
      `${directory} was written in format ${String(format)}, this program knows ${String(FORMAT_VERSION)}: use a newer one`,
    )
  if (typeof clusterId !== 'string' || typeof nodeId !== 'string' || typeof incarnation !== 'string')
    throw corrupt(`${directory}/${IDENTITY_NAME} does not say whose folder this is`)
  if (clusterId !== owner.clusterId)
    throw new StorageError(
      'WRONG_CLUSTER',
      `${directory} holds data of cluster ${clusterId}, not of ${owner.clusterId}: use another folder, or the right cluster id`,
    )
  if (nodeId !== owner.nodeId)
    throw new StorageError(
      'WRONG_NODE',
      `${directory} holds data of node ${nodeId}, not of ${owner.nodeId}: give each node a folder of its own`,
    )
  return { clusterId, nodeId, incarnation }
}

/** Draws an incarnation and writes the file; durable when it resolves. */
export async function createIdentity(
  disk: Disk,
  directory: string,
  owner: Owner,
  random: Random,
): Promise<Identity> {
  const identity = {
    clusterId: owner.clusterId,
    nodeId: owner.nodeId,
    incarnation: incarnationFrom(random),
  }
  await replaceFile(disk, directory, IDENTITY_NAME, { format: FORMAT_VERSION, ...identity })
  return identity
}

function fieldsOf(value: unknown): Partial<Record<'format' | keyof Identity, unknown>> {
  return typeof value === 'object' && value !== null ? value : {}
}
