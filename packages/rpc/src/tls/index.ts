export {
  createAuthority,
  issueCertificate,
  type CertificateOptions,
  type KeyPair,
  type Validity,
} from './certificates.ts'
export { readTlsFiles, type TlsPaths } from './files.ts'
export {
  TlsKeys,
  type CertificatesOf,
  type TlsContext,
  type TlsMaterial,
  type TlsOptions,
} from './options.ts'
