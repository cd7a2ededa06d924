const OWN = new URL('..', import.meta.url).href
const LINES_MAX = 8

/** The frames of the user's own code, one a line: Node's and ours would only hide them. */
export function userStack(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return frames
    .filter((line) => !line.includes('node:') && !line.includes(OWN))
    .slice(0, LINES_MAX)
    .join('\n')
}
