/** How this Node is to load the TypeScript of users: by itself, by the checkout's hooks, or by ours. */
import { existsSync } from 'node:fs'
import { register } from 'node:module'

const { typescript } = process.features as { readonly typescript?: unknown }
const NODE_STRIPS_TYPES = typescript === 'strip' || typescript === 'transform'
/** The checkout's own hooks, which strip every module that is loaded. */
const CHECKOUT = new URL('../../../scripts/register-source.mjs', import.meta.url)
const IN_CHECKOUT = existsSync(CHECKOUT) && existsSync(new URL('../tsup.config.ts', import.meta.url))

let isRegistered = false

/** From here on, this thread can load TypeScript. */
export function loadTypes(): void {
  if (NODE_STRIPS_TYPES || IN_CHECKOUT || isRegistered) return
  register(new URL('../bin/type-hooks.mjs', import.meta.url))
  isRegistered = true
}

/** Flags with which another process or thread can, too. */
export function flagsForTypes(): string[] {
  if (IN_CHECKOUT) return ['--import', CHECKOUT.href]
  return NODE_STRIPS_TYPES ? [] : ['--import', new URL('../bin/register-types.mjs', import.meta.url).href]
}
