/**
 * Runs transcripts: commands to a few servers, then everything that happened. A block is command lines, `----`, and what they
 * gave, up to an empty line; lines with `#` are for readers. Each server has a clock of its own, which only commands move.
 *
 *     servers A B C [learners D] [slow] [cache N] [window N] [chunk N]    a new cluster, its disks slow or not
 *     log A 1 1 2 [term 3]        A starts with entries of these terms
 *     believes A A B              A starts with its own idea of who votes
 *     join D                      D starts empty and waits to be added
 *     change A add D remove C learn E promote F demote B     A is asked to change who takes part
 *     timeout A                   A's next deadline comes
 *     wait A 100 · pass A 100     time passes at A, deadlines unnoticed · or kept
 *     deliver A>B [n] · drop A>B [n]    the oldest n messages on their way, or all; `*` is everybody
 *     settle                      delivers, and finishes writes, until nothing happens
 *     propose A x y · read A · transfer A B · stepdown A · unreachable A B · compact A 5 · disk A · slow A · fast A · restart A
 *     status A …                  role, term, indexes and followers
 */
import { assert } from '@lab/rpc'
import type { Envelope } from '../../../src/core/messages.ts'
import type { CoreLimits } from '../../../src/core/ready.ts'
import type { NodeId } from '../../../src/types.ts'
import { OneServer, membershipOf, type OneServerOptions } from '../support/one-server.ts'
import { describeChange, describeEntries, describeMessages, describeStatus } from './describe.ts'

const LIMIT_NAMES: Record<string, keyof CoreLimits> = {
  cache: 'cacheBytesMax',
  window: 'inflightMessagesMax',
  append: 'appendBytesMax',
  chunk: 'snapshotChunkBytes',
}

/** Replaces what stands below each `----` by what the commands above it give now. */
export function runTranscript(text: string): string {
  const world = new World()
  return text
    .trim()
    .split(/\n\n+/)
    .map((block) => runBlock(world, block))
    .join('\n\n')
    .concat('\n')
}

function runBlock(world: World, block: string): string {
  const [head = ''] = block.split('\n----')
  const commands = head.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  if (commands.length === 0) return block
  const happened = commands.flatMap((command) => world.run(command))
  return [head.trimEnd(), '----', ...(happened.length === 0 ? ['nothing'] : happened)].join('\n')
}

interface Mail {
  readonly from: NodeId
  readonly envelope: Envelope
}

class World {
  readonly #servers = new Map<NodeId, OneServer>()
  readonly #options = new Map<NodeId, OneServerOptions>()
  /** On their way, oldest first. */
  #mail: Mail[] = []
  readonly #seen = new Map<NodeId, { changes: number; applied: number; reads: number }>()

  run(line: string): string[] {
    const [command = '', ...words] = line.trim().split(/\s+/)
    if (command === 'status') return words.map((id) => describeStatus(this.#server(id).status))
    if (command === 'servers') this.#create(words)
    else if (command === 'log') this.#replaceLog(words)
    else if (command === 'believes') this.#believe(words)
    else if (command === 'join') this.#start(words[0] ?? '', { id: words[0] ?? '', bootstrap: null })
    else if (command === 'change') return this.#change(words)
    else if (command === 'pass') return this.#pass(words)
    else if (command === 'propose') return this.#propose(words)
    else if (command === 'settle') return this.#settle()
    else if (command === 'deliver' || command === 'drop') return this.#mailCommand(command, words)
    else this.#serverCommand(command, words)
    return this.#collect()
  }

  #serverCommand(command: string, [id = '', ...words]: string[]): void {
    const server = this.#server(id)
    const [word = ''] = words
    if (command === 'timeout') server.timeOut()
    else if (command === 'wait') server.now += Number(word)
    else if (command === 'read') server.read()
    else if (command === 'transfer') server.step({ type: 'transfer', to: word })
    else if (command === 'stepdown') server.step({ type: 'stepDown' })
    else if (command === 'unreachable') server.step({ type: 'unreachable', peer: word })
    else if (command === 'compact') compact(server, Number(word))
    else if (command === 'disk') server.finishWrite()
    else if (command === 'slow' || command === 'fast') server.slowDisk = command === 'slow'
    else if (command === 'restart') server.restart()
    else assert(false, `there is a command ${command}`)
  }

  #create(words: string[]): void {
    const learnersAt = words.indexOf('learners')
    const ids = (from: number): string[] => {
      const rest = words.slice(from)
      const end = rest.findIndex((word) => !/^[A-Z]$/.test(word))
      return end < 0 ? rest : rest.slice(0, end)
    }
    const voters = ids(0)
    const learners = learnersAt < 0 ? [] : ids(learnersAt + 1)
    const limits: { -readonly [K in keyof CoreLimits]?: number } = {}
    for (const [at, word] of words.entries()) {
      const name = LIMIT_NAMES[word]
      if (name !== undefined) limits[name] = Number(words[at + 1])
    }
    const membership = membershipOf(voters, { learners })
    for (const id of [...voters, ...learners])
      this.#start(id, { id, membership, limits, slowDisk: words.includes('slow') })
  }

  #replaceLog([id = '', ...words]: string[]): void {
    const termAt = words.indexOf('term')
    const log = (termAt < 0 ? words : words.slice(0, termAt)).map(Number)
    const term = termAt < 0 ? (log.at(-1) ?? 0) : Number(words[termAt + 1])
    this.#start(id, { ...this.#options.get(id), log, term })
  }

  #believe([id = '', ...voters]: string[]): void {
    this.#start(id, { ...this.#options.get(id), membership: membershipOf(voters) })
  }

  /** One deadline at a time, so that what happened is told in its order. */
  #pass([id = '', ms = '']: string[]): string[] {
    const server = this.#server(id)
    const until = server.now + Number(ms)
    const happened: string[] = []
    while (server.deadline <= until) {
      server.pass(server.deadline - server.now)
      happened.push(...this.#collect())
    }
    server.now = until
    return happened
  }

  #propose([id = '', ...texts]: string[]): string[] {
    const proposed = this.#server(id).propose(...texts)
    const happened = this.#collect()
    return proposed.ok ? happened : [...happened, `${id} does not take ${texts.join()}: ${proposed.why}`]
  }

  #change([id = '', ...words]: string[]): string[] {
    const named = new Map<string, string[]>()
    let wish: string[] = []
    for (const word of words)
      if (/^[A-Z]$/.test(word)) wish.push(word)
      else named.set(word, (wish = []))
    const at = (name: string): Record<NodeId, string[]> =>
      Object.fromEntries((named.get(name) ?? []).map((member) => [member, []]))
    const list = (name: string): string[] => named.get(name) ?? []
    const change = { promote: list('promote'), demote: list('demote'), remove: list('remove') }
    const accepted = this.#server(id).changeMembership({
      ...change,
      add: at('add'),
      addLearners: at('learn'),
    })
    const happened = this.#collect()
    return accepted.ok ? happened : [...happened, `${id} does not change who takes part: ${accepted.why}`]
  }

  #start(id: NodeId, options: OneServerOptions): void {
    this.#options.set(id, options)
    this.#servers.set(id, new OneServer(options))
    this.#seen.set(id, { changes: 0, applied: 0, reads: 0 })
  }

  #mailCommand(command: 'deliver' | 'drop', words: string[]): string[] {
    const [, from = '', to = ''] = /^(.+)>(.+)$/.exec(words[0] ?? '') ?? []
    const matches = (item: Mail): boolean =>
      (from === '*' || item.from === from) && (to === '*' || item.envelope.to === to)
    const chosen = this.#mail.filter(matches).slice(0, words[1] === undefined ? Infinity : Number(words[1]))
    this.#mail = this.#mail.filter((item) => !chosen.includes(item))
    if (command === 'drop')
      return chosen.map(
        ({ from: sender, envelope }) => `lost: ${describeMessages(sender, [envelope]).join()}`,
      )
    return chosen.flatMap(({ from: sender, envelope }) => {
      this.#server(envelope.to).receive(sender, envelope.message)
      return this.#collect()
    })
  }

  #settle(): string[] {
    const happened: string[] = []
    for (let round = 0; round < 100; round++) {
      const writing = [...this.#servers.values()].find((server) => server.writing !== null)
      writing?.finishWrite()
      happened.push(...this.#collect())
      if (this.#mail.length === 0 && writing === undefined) return happened
      happened.push(...this.#mailCommand('deliver', ['*>*']))
    }
    throw new Error('the servers do not settle')
  }

  /** What happened at every server since the last look; what was sent is put in the mail. */
  #collect(): string[] {
    return [...this.#servers.values()].flatMap((server) => {
      serveSnapshots(server)
      const seen = this.#seen.get(server.id)
      assert(seen !== undefined, 'every server has been looked at')
      const changes = server.changes.slice(seen.changes).map((change) => describeChange(server.id, change))
      const reads = server.reads
        .slice(seen.reads)
        .map(
          ({ id, index }) =>
            `${server.id} read ${String(id)} ${index === null ? 'refused' : `at ${String(index)}`}`,
        )
      const applied = describeEntries(server.id, 'applies', server.applied.slice(seen.applied))
      Object.assign(seen, {
        changes: server.changes.length,
        applied: server.applied.length,
        reads: server.reads.length,
      })
      const sent = server.sent.splice(0)
      this.#mail.push(...sent.map((envelope) => ({ from: server.id, envelope })))
      return [...changes, ...describeMessages(server.id, sent), ...reads, ...applied]
    })
  }

  #server(id: NodeId): OneServer {
    const server = this.#servers.get(id)
    assert(server !== undefined, `there is a server ${id}`)
    return server
  }
}

/** Snapshots of ten bytes, read and written at once. */
function serveSnapshots(server: OneServer): void {
  const { disk } = server
  for (let at = 0; at < 100; at++) {
    const read = server.snapshotReads.shift()
    const { snapshot } = disk
    if (read !== undefined && snapshot !== null) {
      const data = snapshot.data.subarray(read.offset, read.offset + read.bytesMax)
      const done = read.offset + data.length === snapshot.data.length
      const { meta, crc } = snapshot
      const chunk = { meta, size: snapshot.data.length, crc, offset: read.offset, data, done }
      server.step({ type: 'snapshotRead', to: read.to, chunk })
    }
    const chunk = server.snapshotWrites.shift()
    if (chunk !== undefined) {
      const { meta, offset, done } = chunk
      server.step({ type: 'snapshotWritten', index: meta.index, offset, done, ok: disk.receive(chunk) })
    }
    if (read === undefined && chunk === undefined) return
  }
}

function compact(server: OneServer, index: number): void {
  const meta = server.core.snapshotMetaAt(index)
  server.disk.save({ meta, data: new Uint8Array(10), crc: 0xe38a6876 }, index)
  server.step({ type: 'compacted', meta, compactTo: index })
}
