/** Ends a run that computes without end, and says where it is: the thread of bin/hang-watch.mjs, which does so. */
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ownFile } from './own-files.ts'

export interface HangWatch {
  /** From now on it is `run` that may take so long and no longer. */
  begin(run: string): void
  close(): void
}

/** @param module the user's: frames of its folder are told @param patienceMs how long a run may take */
export function watchForHangs(module: string, patienceMs: number): HangWatch {
  const folder = `${pathToFileURL(dirname(resolve(module))).href}/`
  const watcher = new Worker(ownFile('bin/hang-watch.mjs'), {
    workerData: { patienceMs, folder },
    execArgv: [],
  })
  watcher.unref()
  return {
    begin: (run) => {
      watcher.postMessage(run)
    },
    close: () => void watcher.terminate(),
  }
}
