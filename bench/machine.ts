import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'

/** What a figure depends on, in one line: it stands above every recorded run. */
export function machineLine(): string {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${processor} × ${cpus().length}, ${memory} GB, ${type()} ${release()}, Node ${process.versions.node}, commit ${commit()}`
}

function commit(): string {
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] } as const
    const hash = execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).trim()
    const dirty = execFileSync('git', ['status', '--porcelain', '--untracked-files=no'], options) !== ''
    return dirty ? `${hash} with changes` : hash
  } catch {
    return 'unknown'
  }
}
