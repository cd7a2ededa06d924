import type { TlsKeys } from '../tls/options.ts'
import type { Settings } from './options.ts'

/** What all channels of one transport share, in Node. */
export interface NodeSettings extends Settings {
  readonly tls: TlsKeys
}
