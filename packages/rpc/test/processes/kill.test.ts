/** Two processes over TCP, one of which dies by SIGKILL. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openLink, parseAddress } from '../../src/index.ts'
import { tcp } from '../../src/tcp/index.ts'
import { closing, failure } from '../rpc/harness.ts'
import { Remote } from './server.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function startServer(port: number): Promise<{ address: string; kill: () => Promise<unknown> }> {
  const root = join(import.meta.dirname, '../../../..')
  const child = spawn(
    process.execPath,
    [
      '--import',
      join(root, 'scripts/register-source.mjs'),
      join(import.meta.dirname, 'server.ts'),
      String(port),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  children.push(child)
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    address: String(line).trim(),
    kill: () => {
      child.kill('SIGKILL')
      return once(child, 'exit')
    },
  }
}

test('when the server process is killed calls and streams fail as unknown, and the link finds the next one', async () => {
  const first = await startServer(0)
  const link = closing(openLink(first.address, { transport: tcp(), reconnect: { minMs: 10, maxMs: 50 } }))
  const remote = link.client(Remote)
  const large = new Uint8Array(1_000_000).fill(3)
  // Byte by byte toEqual takes seconds.
  expect(Buffer.compare(await remote.echo(large), large)).toBe(0)
  const hanging = failure(remote.hang(undefined, { timeout: 30_000 }))
  const ticks = remote.ticks()[Symbol.asyncIterator]()
  expect(await ticks.next()).toEqual({ done: false, value: 1 })
  await first.kill()
  expect(await hanging).toMatchObject({ code: 'CLOSED', executed: 'unknown' })
  const readAll = async (): Promise<void> => {
    while ((await ticks.next()).done !== true);
  }
  expect(await failure(readAll())).toMatchObject({ code: 'CLOSED' })
  const waiting = remote.echo(Uint8Array.of(5), { timeout: 30_000 })
  await startServer(parseAddress(first.address).port ?? 0)
  expect(await waiting).toEqual(Uint8Array.of(5))
})
