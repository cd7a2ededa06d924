import type { Contents } from './contents.ts'
import { ProtocolError } from '@lab/rpc'
import { Loader, readItems, type LoaderOptions } from './loader.ts'

/**
 * Reads what `writeSnapshot` wrote, however its chunks were cut. They are the store's from then on.
 *
 * @throws {ProtocolError} on anything else
 */
export async function readSnapshot(
  chunks: AsyncIterable<Uint8Array>,
  options: LoaderOptions,
): Promise<Contents> {
  const loader = new Loader(options)
  const rest = await readItems(chunks, (bytes) => loader.adopt(bytes))
  if (rest > 0) throw new ProtocolError('a snapshot that ends within a record')
  return loader.finish()
}
