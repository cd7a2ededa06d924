import type { Logger } from '@lab/raft'

export const LOG_STYLES = ['warn', 'info', 'json'] as const
/** warn: warnings and errors in words · info: everything in words · json: everything, a JSON document a line */
export type LogStyle = (typeof LOG_STYLES)[number]

type Level = 'info' | 'warn' | 'error'

/** What the server has to tell, on standard error. */
export function serverLogger(id: string, style: LogStyle, talk: (line: string) => void): Logger {
  const say = (level: Level) => (text: string) => {
    if (style === 'json')
      talk(JSON.stringify({ time: new Date().toISOString(), level, node: id, message: text }))
    else if (style === 'info' || level !== 'info') talk(`${id}: ${text}`)
  }
  return { info: say('info'), warn: say('warn'), error: say('error') }
}
