/**
 * How Node runs a process that simulates. A seed leaves much behind that soon nobody needs: with room for it from the beginning, most is
 * gone before it would be copied, and what is not may lie. There is a process for each core: threads that collect beside it would take
 * from the others what they give to it.
 */
export const NODE_OPTIONS: readonly string[] = [
  ...['--max-semi-space-size=64', '--min-semi-space-size=64', '--initial-old-space-size=256'],
  '--single-threaded-gc',
]
