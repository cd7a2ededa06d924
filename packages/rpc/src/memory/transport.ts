import { parseAddress, type ParsedAddress } from '../address.ts'
import { RpcError } from '../errors.ts'
import type { Address, Transport } from '../transport.ts'
import { MemoryNetwork } from './network.ts'

export interface MemoryOptions {
  /** The node whose transport this is, as `cut` and `counters` name it. Default: the host that it listens at first. */
  readonly name?: string
}

/** What `memory()` without a network connects to: everything within this process. */
let processNetwork: MemoryNetwork | undefined

/**
 * Channels within the process: `memory://n1`, or `memory://n1:0` for a free port. Take one transport per node, so that
 * the network knows whose messages are whose.
 *
 * @param network default: one for the whole process, without latency
 */
export function memory(network?: MemoryNetwork, options: MemoryOptions = {}): Transport {
  const net = network ?? (processNetwork ??= new MemoryNetwork())
  let { name } = options
  return {
    schemes: ['memory'],
    async connect(to, signal) {
      parse(to)
      return net.dial((name ??= net.nextName()), to, signal)
    },
    async listen(at, accept) {
      const parsed = parse(at)
      await Promise.resolve()
      return net.listen((name ??= parsed.host), parsed, accept)
    },
  }
}

function parse(address: Address): ParsedAddress {
  const parsed = parseAddress(address)
  if (parsed.scheme !== 'memory' || parsed.host === '' || parsed.path !== '')
    throw new RpcError('BAD_ADDRESS', `not an address of the memory network: ${address}, such as memory://n1`)
  return parsed
}
