/** What a transport needs to speak TLS, and how it may be renewed while it is in use. No Node here: a page's types name it. */
import { RpcError } from '../errors.ts'

/** PEM: texts or bytes. */
export interface TlsMaterial {
  /** This end's certificate, with those between it and the authority behind it. A server needs one; to a peer it names this node. */
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  /** Authorities whose certificates count. Default: those that Node trusts. */
  readonly ca?: string | Uint8Array
}

/**
 * Whom a server asks for a certificate of `ca`: nobody · `peers`: peers need one that names their node id, others may have none ·
 * `all`: everybody, before anything else.
 */
export type CertificatesOf = 'none' | 'peers' | 'all'

export interface TlsOptions extends TlsMaterial {
  /** Default: `peers` with a `ca` of one's own, `none` without. */
  readonly clientCertificates?: CertificatesOf
  /** The name that a server's certificate must have. Default: the host of the address dialled. */
  readonly serverName?: string
}

/** What `node:tls` takes of it. */
export interface TlsContext {
  readonly minVersion: 'TLSv1.2'
  readonly cert?: string
  readonly key?: string
  readonly ca?: string
}

/** Options that can be renewed: connections made from then on use what is new. */
export class TlsKeys {
  readonly clientCertificates: CertificatesOf
  readonly serverName: string | undefined
  readonly #listeners = new Set<() => void>()
  #material: TlsMaterial

  /** @throws {RpcError} `BAD_REQUEST` when certificates are asked for and no authority is named */
  constructor({ clientCertificates, serverName, ...material }: TlsOptions) {
    this.clientCertificates = clientCertificates ?? (material.ca === undefined ? 'none' : 'peers')
    if (this.clientCertificates !== 'none' && material.ca === undefined)
      throw new RpcError('BAD_REQUEST', 'tls.clientCertificates needs tls.ca: whose certificates count?')
    this.serverName = serverName
    this.#material = material
  }

  /** For `node:tls`. */
  get context(): TlsContext {
    const { cert, key, ca } = this.#material
    return {
      minVersion: 'TLSv1.2',
      ...(cert === undefined ? {} : { cert: textOf(cert) }),
      ...(key === undefined ? {} : { key: textOf(key) }),
      ...(ca === undefined ? {} : { ca: textOf(ca) }),
    }
  }

  /** Has this end a certificate to show? */
  get canServe(): boolean {
    return this.#material.cert !== undefined && this.#material.key !== undefined
  }

  replace(material: TlsMaterial): void {
    this.#material = material
    for (const changed of [...this.#listeners]) changed()
  }

  /** @returns a function that takes the listener off again */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed)
    return () => this.#listeners.delete(changed)
  }
}

export function tlsKeysOf(given: TlsOptions | TlsKeys | undefined): TlsKeys {
  return given instanceof TlsKeys ? given : new TlsKeys(given ?? {})
}

function textOf(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : new TextDecoder().decode(pem)
}
