import type { Logger } from '@lab/raft'

export const LOG_FORMATS = ['text', 'json'] as const
/** text: for people · json: a JSON document a line */
export type LogFormat = (typeof LOG_FORMATS)[number]

/** From the least urgent on. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogStyle {
  readonly format: LogFormat
  /** Less urgent lines are left out. */
  readonly level: LogLevel
}

/** What the server has to tell, on standard error. */
export function serverLogger(
  id: string,
  { format, level: least }: LogStyle,
  talk: (line: string) => void,
): Logger {
  const say = (level: LogLevel) => (text: string) => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return
    const time = new Date().toISOString()
    if (format === 'json') talk(JSON.stringify({ time, level, node: id, message: text }))
    else talk(`${time} ${level.padEnd(5)} ${id}: ${text}`)
  }
  return { info: say('info'), warn: say('warn'), error: say('error') }
}
