/**
 * The output folder, which only the coordinator changes. Attempts leave whole files under `_attempt/`, each under a name of
 * its own; the winners get their final names at the very end, then the manifest is written. Nobody ever sees a half.
 */
import { DiskError, type Disk } from '@lab/rpc'
import { attemptName, type AttemptId, type FileSummary } from '../core/task.ts'
import { JobError } from '../errors.ts'
import { ATTEMPTS, MANIFEST, type Manifest } from '../manifest.ts'

/** Letters, digits, `.`, `_`, `-`; nothing that hides a file or leaves the folder. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

const FILES_AT_ONCE = 8

export class OutputFolder {
  readonly #disk: Disk
  readonly path: string
  readonly attempts: string

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.path = path
    this.attempts = `${path}/${ATTEMPTS}`
  }

  /** @throws {JobError} `BAD_OUTPUT` when it holds results, or anything that is no earlier run of ours */
  async open(): Promise<void> {
    const there = await this.#list(this.path)
    const foreign = there.filter((name) => name !== ATTEMPTS)
    if (there.includes(MANIFEST))
      throw new JobError(
        'BAD_OUTPUT',
        `${this.path} holds the output of a job that is done: remove it, or name another`,
      )
    if (foreign.length > 0 && !there.includes(ATTEMPTS))
      throw new JobError(
        'BAD_OUTPUT',
        `${this.path} is not empty: it holds ${foreign.slice(0, 3).join(', ')}; name an empty or a new folder`,
      )
    await this.#disk.makeDirectory(this.attempts)
  }

  /** The file that an attempt writes. @throws {JobError} `BAD_OUTPUT` for a name that would leave the folder */
  attemptPath(attempt: AttemptId, name: string): string {
    return `${this.attempts}/${attemptFile(attempt, name)}`
  }

  /** Is what an attempt reported still there, under its own or under its final name? */
  async has(attempt: AttemptId, files: readonly FileSummary[]): Promise<boolean> {
    for (const { name, bytes } of files) {
      const size =
        (await this.#size(this.attemptPath(attempt, name))) ?? (await this.#size(`${this.path}/${name}`))
      if (size !== bytes) return false
    }
    return true
  }

  /** Gives winners their final names, then writes the manifest, both durably if asked for. Can be repeated after a crash at any point. */
  async commit(
    winners: readonly (AttemptId & { readonly files: readonly FileSummary[] })[],
    manifest: Manifest,
    durable: boolean,
  ): Promise<void> {
    const moves = winners.flatMap(({ files, ...attempt }) =>
      files.map(({ name }) => ({ from: this.attemptPath(attempt, name), to: `${this.path}/${name}` })),
    )
    // Several at a time: what waits for the disk is mostly its one journal.
    const publishNext = async (): Promise<void> => {
      for (let move = moves.shift(); move !== undefined; move = moves.shift())
        await this.#publish(move.from, move.to, durable)
    }
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, publishNext))
    if (durable) await this.#disk.syncDirectory(this.path)
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    const draft = `${this.attempts}/${MANIFEST}`
    const file = await this.#disk.open(draft, { create: true })
    await file.truncate(0)
    await file.write(new TextEncoder().encode(text), 0)
    if (durable) await file.sync()
    await file.close()
    await this.#disk.rename(draft, `${this.path}/${MANIFEST}`)
    if (durable) await this.#disk.syncDirectory(this.path)
  }

  /** Removes what attempts left: the losers' files and the journal. */
  async sweep(): Promise<void> {
    for (const name of await this.#list(this.attempts)) await this.#disk.remove(`${this.attempts}/${name}`)
  }

  async #publish(from: string, to: string, durable: boolean): Promise<void> {
    if ((await this.#size(from)) === null) return // Was renamed before a crash.
    if (durable) await this.#sync(from)
    await this.#disk.rename(from, to)
  }

  async #sync(path: string): Promise<void> {
    const file = await this.#disk.open(path)
    await file.sync()
    await file.close()
  }

  async #size(path: string): Promise<number | null> {
    try {
      const file = await this.#disk.open(path)
      const size = await file.size()
      await file.close()
      return size
    } catch (thrown) {
      if (thrown instanceof DiskError && thrown.code === 'NOT_FOUND') return null
      throw thrown
    }
  }

  async #list(path: string): Promise<readonly string[]> {
    try {
      return await this.#disk.list(path)
    } catch (thrown) {
      if (thrown instanceof DiskError && thrown.code === 'NOT_FOUND') return []
      throw thrown
    }
  }
}

/** The name of an attempt's file within `_attempt/`: `reduce-00003.1.w4f2a.part-00003`. */
export function attemptFile(attempt: AttemptId, name: string): string {
  if (!NAME.test(name) || !NAME.test(attempt.worker))
    throw new JobError(
      'BAD_OUTPUT',
      `${JSON.stringify(name)} is no name for an output file: letters, digits, . _ -`,
    )
  return `${attemptName(attempt)}.${name}`
}
