/** How much room text takes on a terminal. */

/** East Asian wide and full-width characters, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
/** Marks on the character before, and what is not seen. */
const NONE = /[\p{M}\p{Cf}]/u

/** In columns. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - widthOf(text), 0))
}

/** On one line, and cut after so many columns. */
export function oneLine(text: string, widthMax = Infinity): string {
  const flat = text.replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  if (flat.length <= widthMax && widthOf(flat) <= widthMax) return flat
  let width = 1
  let cut = ''
  for (const character of flat) {
    width += widthOf(character)
    if (width > widthMax) break
    cut += character
  }
  return `${cut}…`
}
