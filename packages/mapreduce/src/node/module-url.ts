import { pathToFileURL } from 'node:url'

/** A module as a URL: `job.ts` is a file of the working folder. */
export function moduleUrl(module: string | URL): string {
  if (module instanceof URL) return module.href
  return module.startsWith('file:') ? module : pathToFileURL(module).href
}
