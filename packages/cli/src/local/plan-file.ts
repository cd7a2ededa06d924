/** The cluster file of a cluster on this machine, where it needs one: for shards, and for certificates. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, issueCertificate, type KeyPair } from '@lab/rpc/tls'
import { AUTHORITY, LOCAL_HOSTS, readAuthority, writeKeyPair } from '../certificates.ts'
import type { ConfigFile } from '../server/config-file.ts'
import type { ClusterPlan } from './local-cluster.ts'

/** In the `.lab` folder. */
export const PLAN_FILE = 'lab.json'
export const CERTIFICATES_FOLDER = 'certs'

/** A plan with its cluster file. */
export interface FiledPlan extends ClusterPlan {
  /** Absolute. */
  readonly config: string
}

/** Writes the cluster file of a plan, with certificates where its addresses ask for them. */
export function filePlan(
  labFolder: string,
  plan: ClusterPlan,
  shards: Pick<ConfigFile, 'shards' | 'controller' | 'groups'> = {},
): FiledPlan {
  const config = join(labFolder, PLAN_FILE)
  mkdirSync(labFolder, { recursive: true })
  const file = {
    cluster: plan.cluster,
    ...shards,
    nodes: Object.fromEntries(Object.entries(plan.nodes).map(([id, { address }]) => [id, address])),
    ...(isSecure(plan) ? { tls: makeCertificates(labFolder, Object.keys(plan.nodes)) } : {}),
  }
  writeFileSync(config, `${JSON.stringify(file, null, 2)}\n`)
  return { ...plan, config }
}

/** Does it speak TLS? */
export function isSecure({ nodes }: ClusterPlan): boolean {
  return Object.values(nodes).some(({ address }) => /^(?:tls|wss):/.test(address))
}

/** An authority, and a certificate for each node. Clients need none: it is the servers that must prove who they are. */
function makeCertificates(labFolder: string, ids: readonly string[]): ConfigFile['tls'] {
  const folder = join(labFolder, CERTIFICATES_FOLDER)
  const authority = authorityIn(folder)
  for (const name of ids)
    writeKeyPair(folder, name, issueCertificate(authority, { name, hosts: LOCAL_HOSTS, usage: 'node' }))
  const file = (name: string): string => `${CERTIFICATES_FOLDER}/${name}`
  return { ca: file(`${AUTHORITY}.pem`), cert: file('{id}.pem'), key: file('{id}.key') }
}

/** There is one already when an earlier start got no further. */
function authorityIn(folder: string): KeyPair {
  if (existsSync(join(folder, `${AUTHORITY}.pem`))) return readAuthority(folder)
  const made = createAuthority()
  writeKeyPair(folder, AUTHORITY, made)
  return made
}
