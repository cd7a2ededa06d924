import type { Topic } from '../topics.ts'

/** Told apart also by people who see few colours (Okabe and Ito), on light and on dark. */
export const TOPIC_COLORS: Readonly<Record<Topic, string>> = {
  ...{ election: '#009e73', log: '#56b4e9', snapshot: '#0072b2', disk: '#999999', message: '#999999' },
  ...{ client: '#cc79a7', fault: '#d55e00', life: '#e69f00', shard: '#cc79a7', note: '#999999' },
}

export const ROLE_COLORS: Readonly<Record<string, string>> = {
  follower: '#8da2b8',
  candidate: '#e69f00',
  leader: '#009e73',
}

/** By what the type of a message contains, in this order. */
const MESSAGE_COLORS: readonly (readonly [RegExp, string])[] = [
  [/vote/i, '#e69f00'],
  [/append/i, '#56b4e9'],
  [/snapshot/i, '#0072b2'],
  [/timeout/i, '#cc79a7'],
]

export function messageColor(type: unknown): string {
  return MESSAGE_COLORS.find(([pattern]) => typeof type === 'string' && pattern.test(type))?.[1] ?? '#999999'
}
