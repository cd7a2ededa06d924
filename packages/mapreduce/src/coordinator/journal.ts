/**
 * What the coordinator must not forget, in one file: a line for each fact, `crc json`. One write is in flight; what comes
 * meanwhile is the next one. The process may die at any moment: a torn last line is cut off. The file is not synced, for
 * all that a loss of power can do is to have finished tasks done again.
 */
import { toError, type Disk, type DiskFile } from '@lab/rpc'
import type { Fact } from '../core/facts.ts'
import type { WorkerId } from '../core/task.ts'
import { checksumOfText } from '../data/spill-format.ts'
import { JobError } from '../errors.ts'
import type { Probe } from '../protocol.ts'

/** What the first line says. Another job's journal is refused. */
export interface JournalHeader {
  readonly version: 1
  /** A hash of what the job is: its build, its input, its settings. */
  readonly job: string
}

interface EpochLine {
  readonly fact: 'epoch'
  readonly epoch: number
}

/** Where a worker leaves outputs that others see: they are found there also when it is gone, and the coordinator another. */
export interface PlaceLine {
  readonly fact: 'place'
  readonly worker: WorkerId
  readonly address: string
  readonly probe: Probe
}

type Line = Fact | JournalHeader | EpochLine | PlaceLine

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const READ_BYTES = 1 << 20

export class Journal {
  readonly #file: DiskFile
  #size: number
  #waiting: string[] = []
  #writing: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** What an earlier run had found true, in order. */
  readonly facts: readonly Fact[]
  readonly places: readonly PlaceLine[]
  /** From 1; one more than that of the run before. */
  readonly epoch: number

  private constructor(
    file: DiskFile,
    size: number,
    { facts, places, epoch }: Pick<Journal, 'facts' | 'places' | 'epoch'>,
  ) {
    this.#file = file
    this.#size = size
    this.facts = facts
    this.places = places
    this.epoch = epoch
  }

  /** @throws {JobError} `BAD_OUTPUT` when the file is the journal of another job */
  static async open(disk: Disk, path: string, job: string): Promise<Journal> {
    const file = await disk.open(path, { create: true })
    const { lines, size } = await readLines(file)
    const [first, ...rest] = lines
    const header: JournalHeader = { version: 1, job }
    if (first !== undefined && JSON.stringify(first) !== JSON.stringify(header)) {
      await file.close()
      throw new JobError(
        'BAD_OUTPUT',
        `${path} is of another job, or of this one with other input or settings: take another output folder, or remove this one`,
      )
    }
    await file.truncate(size)
    const places = rest.filter(isPlace)
    const facts = rest.filter((line): line is Fact => !isEpoch(line) && !isPlace(line))
    const epoch = rest.filter(isEpoch).reduce((latest, line) => Math.max(latest, line.epoch), 0) + 1
    const journal = new Journal(file, size, { facts, places, epoch })
    const opening: EpochLine = { fact: 'epoch', epoch }
    await journal.append(first === undefined ? [header, opening] : [opening])
    return journal
  }

  /** Resolves when these facts, and all before them, have reached the file. */
  append(facts: readonly Line[]): Promise<void> {
    for (const fact of facts) this.#waiting.push(lineOf(fact))
    this.#writing ??= this.#write()
    return this.#writing
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#writing?.catch(() => undefined)
    await this.#file.close()
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const bytes = encoder.encode(this.#waiting.join(''))
        this.#waiting = []
        await this.#file.write(bytes, this.#size)
        this.#size += bytes.length
      }
    } catch (thrown) {
      throw new JobError('BAD_OUTPUT', `cannot write the journal: ${toError(thrown).message}`, {
        cause: thrown,
      })
    } finally {
      this.#writing = undefined
    }
  }
}

function isEpoch(line: object): line is EpochLine {
  return 'fact' in line && line.fact === 'epoch'
}

function isPlace(line: object): line is PlaceLine {
  return 'fact' in line && line.fact === 'place'
}

function lineOf(value: object): string {
  const json = JSON.stringify(value)
  return `${checksumOfText(json).toString(16).padStart(8, '0')} ${json}\n`
}

/** The whole lines from the start of the file up to the first that is not, and how many bytes they are. */
async function readLines(file: DiskFile): Promise<{ lines: object[]; size: number }> {
  const bytes = await readAll(file)
  const lines: object[] = []
  let size = 0
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, size)) {
    const crc = decoder.decode(bytes.subarray(size, size + 8))
    const json = decoder.decode(bytes.subarray(size + 9, end))
    if (crc !== checksumOfText(json).toString(16).padStart(8, '0')) break
    lines.push(JSON.parse(json) as object)
    size = end + 1
  }
  return { lines, size }
}

async function readAll(file: DiskFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.size())
  for (let at = 0; at < bytes.length;) {
    const part = await file.read(at, Math.min(READ_BYTES, bytes.length - at))
    if (part.length === 0) return bytes.subarray(0, at)
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
