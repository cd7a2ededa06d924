import type { Random } from '@lab/rpc'

const WORDS = 'the whale sea ship Ahab Starbuck Queequeg of and a to in boat white sperm wäre Größe 𝒳'.split(
  ' ',
)

/** Files of lines of words, as `random` draws them. */
export function texts(random: Random, files: number, lines: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: files }, (_, file) => [
      `book-${String(file)}.txt`,
      Array.from(
        { length: random.integer(1, lines) },
        () =>
          `${Array.from({ length: random.integer(0, 8) }, () => WORDS[random.integer(0, WORDS.length - 1)]).join(' ')}\n`,
      ).join(''),
    ]),
  )
}
