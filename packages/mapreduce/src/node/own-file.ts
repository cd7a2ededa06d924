/**
 * A file of this package that a thread or a process is to run, by its path below `src/`, without extension. What was built
 * may stand in a chunk somewhere below `dist/`.
 */
export function ownFile(path: string): URL {
  const here = import.meta.url
  const [root = '', extension] = here.endsWith('.ts')
    ? [here.slice(0, here.lastIndexOf('/src/') + 5), 'ts']
    : [here.slice(0, here.lastIndexOf('/dist/') + 6), 'js']
  return new URL(`${path}.${extension ?? ''}`, root)
}
