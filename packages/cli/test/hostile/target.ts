/** A real server with every kind of port, a good client that works all the while, and what it must not lose. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { Clerk } from '@lab/kvraft/clerk'
import { tcp } from '@lab/rpc/tcp'
import { createAuthority, issueCertificate } from '@lab/rpc/tls'
import { writeFileSync } from 'node:fs'
import { LAB_BIN } from '../../src/own-files.ts'
import { freePorts } from '../../src/local/ports.ts'
import { temporaryFolder } from '../folder.ts'

export interface Target {
  /** By scheme: tcp, tls, ws, wss, http. */
  readonly ports: Readonly<Record<string, number>>
  readonly process: ChildProcess
  readonly ca: string
  /** What it has said on standard error. */
  log(): string
  /** A figure of /metrics. */
  metric(name: string): Promise<number>
}

const SCHEMES = ['tcp', 'tls', 'ws', 'wss', 'http']

export async function startTarget(): Promise<Target> {
  const folder = temporaryFolder()
  const authority = createAuthority()
  const pair = issueCertificate(authority, { name: 'n1', hosts: ['localhost', '127.0.0.1'] })
  const files = { ca: authority.cert, cert: pair.cert, key: pair.key }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const free = await freePorts(SCHEMES.length)
  const ports = Object.fromEntries(SCHEMES.map((scheme, i) => [scheme, free[i] ?? 0]))
  const at = (scheme: string): string => `${scheme}://127.0.0.1:${String(ports[scheme])}`
  const argv = ['--id', 'n1', '--members', `n1=${at('tcp')}`, '--data', join(folder, 'data'), '--while-stdin']
  const listen = ['tcp', 'tls', 'ws', 'wss'].map(at).join(',')
  const tls = Object.keys(files).flatMap((name) => [`--tls-${name}`, join(folder, name)])
  const child = spawn(process.execPath, [
    ...[LAB_BIN, 'server', ...argv, '--listen', listen, ...tls, '--admin', String(ports['http'])],
  ])
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  await Promise.race([
    new Promise((resolve) => child.stdout.once('data', resolve)),
    new Promise((_, reject) => child.once('exit', () => reject(new Error(log)))),
  ])
  return {
    ...{ ports, process: child, ca: authority.cert, log: () => log },
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${String(ports['http'])}/metrics`)).text()
      const value = new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]
      if (value === undefined) throw new Error(`no metric ${name} in ${text}`)
      return Number(value)
    },
  }
}

/** Appends and reads until told to stop: every answer must be right. */
export class GoodClient {
  readonly #clerk: Clerk
  readonly #working: Promise<void>
  #stop = false
  /** Appends acknowledged. */
  done = 0

  private constructor(clerk: Clerk) {
    this.#clerk = clerk
    this.#working = this.#work()
    this.#working.catch(() => undefined)
  }

  static async start({ ports }: Target): Promise<GoodClient> {
    const servers = [`tcp://127.0.0.1:${String(ports['tcp'])}`]
    return new GoodClient(await Clerk.connect({ servers, transport: tcp(), timeout: 20_000 }))
  }

  /** @throws the first answer that was none, or wrong */
  async stop(): Promise<void> {
    this.#stop = true
    await this.#working
    await this.#clerk.close()
  }

  async #work(): Promise<void> {
    let expected = ''
    while (!this.#stop) {
      const word = `${String(this.done)} `
      await this.#clerk.append('log', word)
      expected += word
      const text = await this.#clerk.getText('log')
      if (text !== expected)
        throw new Error(`after ${String(this.done)} appends the value is ${String(text)}`)
      this.done++
    }
  }
}
