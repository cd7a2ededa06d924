import { RpcError } from './errors.ts'
import type { RpcRole } from './messages.ts'
import type { AnyHandler, Implementation, NamedMethod } from './service.ts'

/** A method that a server answers. */
export interface ServedMethod {
  readonly named: NamedMethod
  readonly handler: AnyHandler
  readonly roles: readonly RpcRole[] | undefined
}

/** The methods of one server, by their numbers. */
export class Registry {
  readonly #methods = new Map<number, ServedMethod>()
  readonly #services = new Set<string>()

  /** @throws {RpcError} `BAD_REQUEST` when there is a service of that name */
  add({ service, handlers, roles }: Implementation): void {
    if (this.#services.has(service.name))
      throw new RpcError('BAD_REQUEST', `there is a service ${service.name} at this server already`)
    for (const named of service.named.values()) {
      const other = this.#methods.get(named.number)
      if (other !== undefined)
        throw new RpcError(
          'BAD_REQUEST',
          `${named.label} and ${other.named.label} have the same number: rename one of them`,
        )
    }
    this.#services.add(service.name)
    for (const [key, named] of service.named) {
      const handler = handlers.get(key)
      if (handler !== undefined) this.#methods.set(named.number, { named, handler, roles })
    }
  }

  remove({ service }: Implementation): void {
    if (!this.#services.delete(service.name)) return
    for (const named of service.named.values()) this.#methods.delete(named.number)
  }

  get(number: number): ServedMethod | undefined {
    return this.#methods.get(number)
  }
}
