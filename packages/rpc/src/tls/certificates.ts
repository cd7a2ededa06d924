/**
 * A private certificate authority and what it issues: enough for the nodes and the clients of a cluster, without another program.
 * Keys are P-256. Certificates of a company's own authority serve as well.
 */
import {
  X509Certificate,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { RpcError } from '../errors.ts'
import {
  bitString,
  children,
  contentOf,
  contextTag,
  der,
  integer,
  octets,
  oid,
  sequence,
  Tag,
  time,
  utf8,
  type Der,
} from './der.ts'

/** Both PEM. Whoever has the key is whom the certificate names. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface Validity {
  /** Default: now. */
  readonly from?: Date
  /** Default: a year; ten for an authority. */
  readonly days?: number
}

export interface CertificateOptions extends Validity {
  /** Whom it names: a node's id, or a client. It is the common name, and for a node a DNS name too. */
  readonly name: string
  /** Of a node: host names and IP addresses at which it is reached. */
  readonly hosts?: readonly string[]
  /** `node` may serve and dial, `client` only dial. Default `node`. */
  readonly usage?: 'node' | 'client'
}

const DAY_MS = 86_400_000
/** Clocks of two machines may differ. */
const BACKDATED_MS = 300_000
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const EXTENSION = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
}
const SERVER_AUTH = oid('1.3.6.1.5.5.7.3.1')
const CLIENT_AUTH = oid('1.3.6.1.5.5.7.3.2')
const TRUE = der(Tag.boolean, Uint8Array.of(0xff))

/** An authority of one's own. Its key issues certificates and is needed for nothing else: keep it off the servers. */
export function createAuthority({
  name = 'lab',
  from,
  days = 3650,
}: Validity & { name?: string } = {}): KeyPair {
  const { publicKey, privateKey } = newKeys()
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const subject = nameOf(name)
  const cert = signed(privateKey, {
    ...{ issuer: subject, subject, spki, validity: validityOf({ ...(from && { from }), days }) },
    extensions: [
      extension(EXTENSION.basicConstraints, sequence(TRUE), 'critical'),
      extension(EXTENSION.keyUsage, bitString(Uint8Array.of(0x06), 1), 'critical'), // signs certificates and their revocations
      extension(EXTENSION.subjectKeyId, octets(keyIdOf(spki))),
    ],
  })
  return { cert, key: pemOf(privateKey) }
}

/** @throws {RpcError} `BAD_REQUEST` when the authority's key is not P-256, or not that of its certificate */
export function issueCertificate(authority: KeyPair, options: CertificateOptions): KeyPair {
  const { name, hosts = [], usage = 'node' } = options
  const authorityKey = createPrivateKey(authority.key)
  const issuer = new X509Certificate(authority.cert)
  if (authorityKey.asymmetricKeyType !== 'ec' || !issuer.checkPrivateKey(authorityKey))
    throw new RpcError('BAD_REQUEST', "the authority's key must be a P-256 key, and that of its certificate")
  const { publicKey, privateKey } = newKeys()
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const purposes = usage === 'node' ? [SERVER_AUTH, CLIENT_AUTH] : [CLIENT_AUTH]
  const cert = signed(authorityKey, {
    ...{ issuer: subjectOf(issuer), subject: nameOf(name), spki, validity: validityOf(options) },
    extensions: [
      extension(EXTENSION.basicConstraints, sequence(), 'critical'),
      extension(EXTENSION.keyUsage, bitString(Uint8Array.of(0x80), 7), 'critical'), // signs handshakes
      extension(EXTENSION.extendedKeyUsage, sequence(...purposes)),
      extension(EXTENSION.subjectKeyId, octets(keyIdOf(spki))),
      extension(EXTENSION.authorityKeyId, authorityKeyId(issuer)),
      ...(usage === 'node' ? [extension(EXTENSION.subjectAltName, altNames([name, ...hosts]))] : []),
    ],
  })
  return { cert, key: pemOf(privateKey) }
}

interface Content {
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly validity: Der
  readonly spki: Uint8Array
  readonly extensions: readonly Der[]
}

/** RFC 5280 §4.1: what is signed, how, and the signature. */
function signed(key: KeyObject, { issuer, subject, validity, spki, extensions }: Content): string {
  const version3 = der(contextTag(0), integer(Uint8Array.of(2)))
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40 // positive, and of full length
  const content = sequence(
    ...[version3, integer(serial), ECDSA_WITH_SHA256, issuer, validity, subject, spki],
    der(contextTag(3), sequence(...extensions)),
  )
  const certificate = sequence(content, ECDSA_WITH_SHA256, bitString(sign('sha256', content, key)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function nameOf(commonName: string): Der {
  return sequence(der(Tag.set, sequence(oid('2.5.4.3'), utf8(commonName))))
}

function validityOf({ from, days = 365 }: Validity): Der {
  const start = from?.getTime() ?? Date.now() - BACKDATED_MS
  return sequence(time(new Date(start)), time(new Date(start + days * DAY_MS)))
}

function extension(id: string, value: Uint8Array, critical?: 'critical'): Der {
  return sequence(oid(id), ...(critical === undefined ? [] : [TRUE]), octets(value))
}

function altNames(names: readonly string[]): Der {
  return sequence(
    ...[...new Set(names)].map((name) =>
      isIPv4(name) || isIPv6(name)
        ? der(contextTag(7, 'primitive'), addressBytes(name))
        : der(contextTag(2, 'primitive'), Buffer.from(name)),
    ),
  )
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number))
  // The URL parser knows all the ways to write one, an IPv4 tail too, and leaves groups of hexadecimal digits.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text = ''): string[] => text.split(':').filter((group) => group !== '')
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  return Uint8Array.from(
    [...groups(head), ...zeros, ...groups(tail)].flatMap((group) => {
      const value = parseInt(group, 16)
      return [value >> 8, value & 0xff]
    }),
  )
}

function subjectOf({ raw }: X509Certificate): Uint8Array {
  const [content = raw] = children(raw)
  // version, serial, algorithm, issuer, validity, subject
  return children(content)[5] ?? raw
}

function authorityKeyId({ publicKey }: X509Certificate): Der {
  const id = keyIdOf(publicKey.export({ type: 'spki', format: 'der' }))
  return sequence(der(contextTag(0, 'primitive'), id))
}

/** RFC 5280 §4.2.1.2: of the bits of the public key. */
function keyIdOf(spki: Uint8Array): Uint8Array {
  const bits = contentOf(children(spki)[1] ?? spki).subarray(1)
  return createHash('sha1').update(bits).digest()
}
