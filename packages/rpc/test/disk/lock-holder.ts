// A process that locks a folder, says so, and waits to be killed.
import { lockBySocketFile } from '../../src/disk/lock-file.ts'
import { lockFolder } from '../../src/disk/lock.ts'

const [kind, folder = ''] = process.argv.slice(2)
await (kind === 'a socket file' ? lockBySocketFile : lockFolder)(folder)
console.log('locked')
// The lock alone keeps no process alive.
setInterval(() => undefined, 60_000)
