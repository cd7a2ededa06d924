import type { Message } from './core/messages.ts'

/** What a message says, for the trace: entries as first and last index, data as a number of bytes. */
export function describeMessage(message: Message): Readonly<Record<string, unknown>> {
  if (message.type === 'AppendEntries') {
    const { entries } = message
    return { ...message, entries: entries.length, first: entries[0]?.index, last: entries.at(-1)?.index }
  }
  if (message.type === 'InstallSnapshot') {
    const { index, term } = message.snapshot
    return { ...message, snapshot: `${String(index)}@${String(term)}`, data: message.data.length }
  }
  return { ...message }
}
