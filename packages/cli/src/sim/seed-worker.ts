/**
 * A process that runs seeds for a campaign, and stays: its code becomes fast over some minutes of virtual time, and a seed
 * alone has seconds. It reads `FROM COUNT`, line by line, and answers each with a line of JSON; what failed it tells aloud.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { LAB_BIN } from '../own-files.ts'
import type { RunFlags, SimFlags } from '../commands/sim.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { NODE_OPTIONS } from './node-options.ts'
import { someSeeds, type Summary } from './run-seeds.ts'

/** In the process of the campaign. */
export class SeedWorker {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #answers: AsyncIterator<string>
  readonly #io: Io
  #lastTalk = ''

  constructor({ scenario, nodes, seconds }: RunFlags, io: Io) {
    const args = ['sim', 'work', '--scenario', scenario]
    if (nodes !== undefined) args.push('--nodes', String(nodes))
    if (seconds !== undefined) args.push('--seconds', String(seconds))
    this.#io = io
    this.#child = spawn(process.execPath, [...NODE_OPTIONS, LAB_BIN, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    // Who died hears nothing; that it gave no answer tells.
    this.#child.stdin.on('error', () => undefined)
    this.#child.on('error', (error) => (this.#lastTalk = error.message))
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#lastTalk = line
      if (/^(seed| {2})/.test(line)) io.talk(line)
    })
    io.signal.addEventListener('abort', this.end, { once: true })
  }

  /** @returns null when the campaign was called off @throws {CliError} `FAILED` when the process died */
  async run(from: number, seeds: number): Promise<Summary | null> {
    this.#child.stdin.write(`${String(from)} ${String(seeds)}\n`)
    const answer = await this.#answers.next()
    if (answer.done !== true) return JSON.parse(answer.value) as Summary
    if (this.#io.signal.aborted) return null
    throw new CliError('FAILED', `seeds from ${String(from)} ended without a word: ${this.#lastTalk}`)
  }

  /** It ends now, whatever it is at. */
  readonly end = (): void => {
    this.#io.signal.removeEventListener('abort', this.end)
    this.#child.kill()
  }
}

/**
 * In the process of its own: `lab sim work`. Whoever asks may be killed; then the lines end, and with them this, whatever it is at.
 *
 * @throws what a seed throws that cannot even begin
 */
export async function work(flags: SimFlags, io: Io): Promise<void> {
  let failed: (error: unknown) => void = () => undefined
  const failure = new Promise<never>((_resolve, reject) => {
    failed = reject
  })
  const answer = async (line: string): Promise<void> => {
    const [from = 0, seeds = 0] = line.split(' ').map(Number)
    await io.out(`${JSON.stringify(await someSeeds({ ...flags, from, seeds }, io))}\n`)
  }
  const read = async (): Promise<void> => {
    for await (const line of io.lines('')) answer(line).catch(failed)
  }
  await Promise.race([read(), failure])
}
