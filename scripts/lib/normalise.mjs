/**
 * What an example prints, without what differs from run to run: addresses, times and sizes, terms, process ids, temporary
 * folders, and which server it was. Everything else, other numbers included, must be the same on every transport.
 */
export function normalise(text) {
  return text
    .replace(/\r\n/g, '\n')
    .replace(/\b(?:memory|tcp|tls|ws|wss|http|https|own):\/\/[^\s'",)\]]+/g, '<address>')
    .replace(/\b(?:localhost|127\.0\.0\.1|\[::1\]):\d+/g, '<address>')
    .replace(/\b\d+(?:[.,]\d+)?(?= ?(?:ms|µs|s|B|kB|MB|GB|ops\/s|\/s)\b)/g, '#')
    .replace(/\b(term|pid|port) \d+/g, '$1 #')
    .replace(/\b(?:n|s)\d\b/g, '<node>')
    .replace(/(?:\/tmp|\/var\/folders|[A-Z]:\\[^\s]*Temp)[^\s'",)]*/g, '<folder>')
}
