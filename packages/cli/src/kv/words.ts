import { usage } from '../parse.ts'

/** Words of a line as a shell makes them: blanks part them, quotes keep blanks, a backslash keeps any character. @throws {CliError} `USAGE` */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const letter = line[at] ?? ''
    if (letter === '\\' && quote !== "'" && at + 1 < line.length) word = (word ?? '') + (line[++at] ?? '')
    else if (letter === quote) quote = ''
    else if (quote === '' && (letter === '"' || letter === "'")) {
      quote = letter
      word ??= ''
    } else if (quote === '' && /\s/.test(letter)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + letter
  }
  if (quote !== '') throw usage(`the line ends within ${quote}`)
  return word === null ? words : [...words, word]
}
