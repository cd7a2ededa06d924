/** `lab kv watch`: changes as they come, until interrupted. */
import type { WatchEvent } from '@lab/kvraft/clerk'
import type { Command } from 'commander'
import { findCluster, reading, type KvClerk } from '../client.ts'
import type { Io } from '../io.ts'
import { formatRow, jsonBytes, printable, type Format } from '../output.ts'
import { parseCount, parseNumber, usage } from '../parse.ts'
import { addRange, rangeOf, type RangeFlags } from './read.ts'
import type { KvFlags, Session } from './session.ts'

interface WatchFlags extends KvFlags, RangeFlags {
  readonly after?: number
  readonly count?: number
}

export function addWatchCommand(kv: Command, { leaf, withClerk, io }: Session): void {
  addRange(leaf(kv, 'watch [key]', 'print changes as they come: of a key, of a range, or all'))
    .option('--after <revision>', 'also those since, if they are remembered; 0: since ever', parseNumber)
    .option('--count <n>', 'end after so many', parseCount)
    .action((key: string | undefined, flags: WatchFlags) =>
      reading(withClerk(flags, (clerk) => watch(clerk, key, flags, io))),
    )
}

async function watch(clerk: KvClerk, key: string | undefined, flags: WatchFlags, io: Io): Promise<void> {
  const { after, count = Infinity, output } = flags
  const named = rangeOf(flags)
  if (key !== undefined && Object.keys(named).length > 0)
    throw usage('give a key, or a range of keys, not both')
  const comesBack = findCluster(flags, io.cwd).shards === null
  let revision = after ?? 0
  let told = 0
  const onProgress = (reached: number): void => {
    revision = reached
  }
  const options = { onProgress, signal: io.signal, ...(after === undefined ? {} : { after }) }
  try {
    for await (const event of clerk.watch(key === undefined ? named : { key }, options)) {
      await io.out(line(event, output))
      revision = event.revision
      if (++told >= count) return
    }
  } finally {
    // Revisions are a shard's: a watch over several has no one place to come back to.
    const more = comesBack ? `; go on with: lab kv watch --after ${revision}` : ''
    if (told < count) io.talk(`${told} ${told === 1 ? 'change' : 'changes'}${more}`)
  }
}

function line({ type, key, value, revision, version }: WatchEvent, format: Format): string {
  const isGone = type === 'delete' || type === 'expire'
  if (format === 'json' || format === 'jsonl') {
    const rest = isGone ? {} : { value: jsonBytes(value), version }
    return formatRow({ type, key: jsonBytes(key), revision, ...rest }, 'jsonl', '')
  }
  const row = { revision, type, key: printable(key), ...(isGone ? {} : { value: printable(value) }) }
  return formatRow(row, 'raw', '')
}
