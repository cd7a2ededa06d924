/** How this Node is to load the TypeScript of users: by itself, by the checkout's hooks, or by ours. */
import { register } from 'node:module'
import { IN_CHECKOUT, ownFile } from './own-files.ts'

const { typescript } = process.features as { readonly typescript?: unknown }
const NODE_STRIPS_TYPES = typescript === 'strip' || typescript === 'transform'
/** The checkout's own hooks, which strip every module that is loaded. */
const CHECKOUT = ownFile('../../scripts/register-source.mjs')

let isRegistered = false

/** From here on, this thread can load TypeScript. */
export function loadTypes(): void {
  if (NODE_STRIPS_TYPES || IN_CHECKOUT || isRegistered) return
  register(ownFile('bin/type-hooks.mjs'))
  isRegistered = true
}

/** Flags with which another process or thread can, too. */
export function flagsForTypes(): string[] {
  if (IN_CHECKOUT) return ['--import', CHECKOUT.href]
  return NODE_STRIPS_TYPES ? [] : ['--import', ownFile('bin/register-types.mjs').href]
}
