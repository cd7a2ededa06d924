/** Where a running job can be reached, in a file that only its owner can read, beside the output. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { JobError } from '../errors.ts'
import { ATTEMPTS } from '../manifest.ts'

export interface Endpoint {
  readonly address: string
  readonly secret: string
}

const NAME = 'endpoint.json'

export function writeEndpoint(output: string, endpoint: Endpoint): void {
  writeFileSync(join(output, ATTEMPTS, NAME), `${JSON.stringify(endpoint)}\n`, { mode: 0o600 })
}

/** @throws {JobError} `BAD_INPUT` when no job runs that writes to this folder */
export function readEndpoint(output: string): Endpoint {
  const path = join(output, ATTEMPTS, NAME)
  if (!existsSync(path)) throw new JobError('BAD_INPUT', `no job is running that writes to ${output}`)
  return JSON.parse(readFileSync(path, 'utf8')) as Endpoint
}
