/** A folder with input, jobs to run on it, and `lab` as a process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LAB_BIN } from '../../src/own-files.ts'
import { temporaryFolder } from '../folder.ts'

export function app(name: string): string {
  return fileURLToPath(new URL(`apps/${name}.ts`, import.meta.url))
}

/** Two files of lines, in `in/`, and a folder for temporary files. */
export function folderWithInput(lines = 40): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'in'))
  mkdirSync(join(folder, 'tmp'))
  for (const name of ['a', 'b']) {
    const text = Array.from({ length: lines }, (_, i) => `${name} line ${String(i % 7)}\n`)
    writeFileSync(join(folder, 'in', `${name}.txt`), text.join(''))
  }
  return folder
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly talk: string }>
  /** Resolves with the first match in standard error. */
  said(pattern: RegExp): Promise<RegExpMatchArray>
}

/** A process in a group of its own, as a shell starts it. */
export function start(
  command: string,
  args: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv = process.env,
): Running {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...env, TMPDIR: join(folder, 'tmp'), NODE_ENV: '' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, talk] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (talk += data.toString()))
  return {
    child,
    ended: new Promise((resolve) => {
      child.on('close', (code) => {
        resolve({ code, out, talk })
      })
    }),
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(talk)
          if (match !== null) resolve(match)
        }
        child.stderr.on('data', look)
        child.on('close', () => {
          reject(new Error(`ended without saying ${String(pattern)}: ${talk}`))
        })
        look()
      }),
  }
}

export function startLab(args: readonly string[], folder: string, env?: NodeJS.ProcessEnv): Running {
  return start(process.execPath, [LAB_BIN, ...args], folder, env)
}

/** What `kill` sends to a group that a terminal would send to it. */
export function signalGroup({ child }: Running, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal)
}

/** Does any process of the group live? */
export function isGroupAlive({ child }: Running): boolean {
  try {
    process.kill(-(child.pid ?? 0), 0)
    return true
  } catch {
    return false
  }
}
