/**
 * A file of this package that a thread or a process is to run, by its path below `src/`, without extension. What was built
 * may stand in a chunk somewhere below `dist/`.
 */
export function ownFile(path: string): URL {
  const here = import.meta.url
  const isSource = here.endsWith('.ts')
  const root = isSource ? '/src/' : '/dist/'
  return new URL(`${path}.${isSource ? 'ts' : 'js'}`, here.slice(0, here.lastIndexOf(root) + root.length))
}
