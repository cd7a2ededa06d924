import { statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Logger } from '@lab/raft'
import { toError } from '@lab/rpc'
import { TlsKeys, readTlsFiles } from '@lab/rpc/tls'
import type { TlsConfig } from '../security.ts'

/** Certificates are renewed days before they expire. */
const LOOK_EVERY_MS = 60_000

/** Reads the files anew when they have changed, and on SIGHUP. @returns stops it */
export function renewKeys(keys: TlsKeys, { ca, cert, key }: TlsConfig, logger: Logger): () => void {
  const paths = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  let seen = stampOf(paths)
  const look = (): void => {
    const now = stampOf(paths)
    if (now === seen) return
    try {
      // The new ones are tried before they are used: certificate and key are two files, and may be written one after the other.
      const material = readTlsFiles(paths)
      createSecureContext(new TlsKeys(material).context)
      keys.replace(material)
      seen = now
      logger.info('TLS: certificates read anew')
    } catch (thrown) {
      logger.warn(`TLS: the old certificates stay in use: ${toError(thrown).message}`)
    }
  }
  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  process.on('SIGHUP', look)
  return () => {
    clearInterval(timer)
    process.off('SIGHUP', look)
  }
}

function stampOf(paths: Readonly<Record<string, string>>): string {
  return Object.values(paths)
    .map((path) => String(statSync(path, { throwIfNoEntry: false })?.mtimeMs))
    .join()
}
