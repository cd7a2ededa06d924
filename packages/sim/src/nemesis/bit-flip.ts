import type { SimDisk } from '../disk/sim-disk.ts'

/**
 * Flips one bit of a file, before the last durable write to it: what comes later shows that the damage is no torn tail. Does
 * nothing when no file has such a place.
 *
 * @param draw decides which bit; any integer ≥ 0
 * @returns where, or null
 */
export function flipBit(
  disk: SimDisk,
  draw: number,
): { readonly path: string; readonly offset: number } | null {
  const files = disk.paths.filter((path) => disk.lastDurableWrite(path) > 0)
  const path = files[draw % Math.max(files.length, 1)]
  if (path === undefined) return null
  const bytes = disk.bytes(path).slice()
  const offset = Math.floor(draw / 8) % Math.min(disk.lastDurableWrite(path), bytes.length)
  bytes[offset] = (bytes[offset] as number) ^ (1 << (draw % 8))
  disk.put(path, bytes)
  return { path, offset }
}
