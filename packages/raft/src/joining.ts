/** A server that is to be added to a cluster: it begins with nothing, and waits for a leader to find it. */
import { openLink, type Address, type Link, type LinkOptions, type RpcError } from '@lab/rpc'
import type { FirstMet } from './driver/first-met.ts'
import type { Logger } from './options.ts'
import type { NodeId } from './types.ts'

/** Remembered beside the incarnations of peers, under this server's own id. */
const ADDED = 'added'

/**
 * Was this server added, or does it wait to be? Said once, by `join` and an empty storage, and remembered: it must never again take
 * itself for one of those that the cluster began with.
 */
export async function isAdded(
  firstMet: FirstMet,
  fresh: boolean,
  {
    id,
    group,
    join,
  }: { readonly id: NodeId; readonly group: number; readonly join: readonly Address[] | null },
): Promise<boolean> {
  const key = keyOf(id, group)
  if (firstMet.of(key) === ADDED) return true
  if (join === null || !fresh) return false
  await firstMet.meet(key, ADDED)
  return true
}

/** The group and all that it kept are gone: its number may begin anew, also with members of its own. */
export async function forgetAdded(firstMet: FirstMet, id: NodeId, group: number): Promise<void> {
  await firstMet.forget(keyOf(id, group))
}

function keyOf(id: NodeId, group: number): string {
  return group === 0 ? id : `${id}/${String(group)}`
}

/** Knocks at the servers of `join`, so that a wrong cluster, token or disk is told of at once. Members find this server by themselves. */
export class Joining {
  readonly #links: Link[]
  readonly #said = new Set<string>()

  constructor(
    { join, link }: { readonly join: readonly Address[]; readonly link: LinkOptions },
    logger: Logger | undefined,
  ) {
    const onState =
      (address: Address) =>
      (state: string, error?: RpcError): void => {
        if (state === 'up')
          this.#say(logger?.info.bind(logger), `${address} knows that this server waits to be added`)
        else if (error !== undefined) this.#say(logger?.warn.bind(logger), `${address}: ${error.message}`)
      }
    this.#links = join.map((address) => openLink(address, { ...link, onState: onState(address) }))
  }

  /** It was added, or is closed. */
  stop(): void {
    for (const link of this.#links.splice(0)) link.close()
  }

  #say(tell: ((text: string) => void) | undefined, text: string): void {
    if (this.#said.has(text)) return
    this.#said.add(text)
    tell?.(text)
  }
}
