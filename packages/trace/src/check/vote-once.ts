import type { TraceEvent } from '@lab/rpc'
import { numberOf, textOf } from '../fields.ts'
import { messageKind } from '../messages.ts'
import type { Property } from './property.ts'

interface Vote {
  readonly voter: string
  readonly term: number
  readonly candidate: string
}

/** Votes on disk and votes sent are promises; one that was only in memory when the server crashed was never given. */
export const voteOnce: Property = {
  rule: 'voteOnce',
  kinds: ['fault', 'persist', 'send'],
  watch: () => {
    const votes = new Map<string, string>()
    return (event) => {
      if (event.k === 'fault' && event['what'] === 'wipe') forget(votes, event.n)
      const vote = voteIn(event)
      if (vote === null) return null
      const key = `${vote.voter}\0${String(vote.term)}`
      const other = votes.get(key)
      if (other === undefined) votes.set(key, vote.candidate)
      return other === undefined || other === vote.candidate
        ? null
        : `in term ${String(vote.term)} ${vote.voter} votes for ${vote.candidate}, and has voted for ${other}`
    }
  },
}

function voteIn(event: TraceEvent): Vote | null {
  const term = numberOf(event, 'term')
  const candidate = event.k === 'persist' ? textOf(event, 'votedFor') : granted(event)
  return term === undefined || candidate === undefined ? null : { voter: event.n, term, candidate }
}

function granted(event: TraceEvent): string | undefined {
  if (event.k !== 'send' || event['voteGranted'] !== true || event['preVote'] === true) return undefined
  const { name, reply } = messageKind(event)
  return name === 'requestvote' && reply ? textOf(event, 'to') : undefined
}

function forget(votes: Map<string, string>, voter: string): void {
  for (const key of votes.keys()) if (key.startsWith(`${voter}\0`)) votes.delete(key)
}
