// `node --import …/register-types.mjs`: threads and processes that load a job written in TypeScript, on a Node that cannot.
import { register } from 'node:module'

register('./type-hooks.mjs', import.meta.url)
