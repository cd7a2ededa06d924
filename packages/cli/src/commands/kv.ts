/** `lab kv`: the store. */
import type { Command } from 'commander'
import { connectClerk } from '../client.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addReadCommands } from '../kv/read.ts'
import { repl } from '../kv/repl.ts'
import { ownClerks, type KvFlags } from '../kv/session.ts'
import { addWatchCommand } from '../kv/watch.ts'
import { addWriteCommands } from '../kv/write.ts'

const EXAMPLES = `
  lab kv put greeting hello            put a value
  lab kv get greeting                  print it
  lab kv append greeting ', world'     add to its end
  lab kv cas greeting hi --version 2   set it if nobody has changed it since; exit code 3 when somebody has
  lab kv put lock me --ttl 10s         it goes by itself
  lab kv scan --prefix ship/           keys and values, in order
  lab kv watch --prefix ship/          changes, as they come
  lab kv txn '{"if":[{"key":"a","value":"1"}],"then":[{"op":"put","key":"b","value":"2"}]}'
  date | lab kv put now -              take the value from standard input
  lab kv get picture -o raw > copy     the bytes, and nothing but the bytes
  lab kv del greeting                  exit code 3 when there is no such key
  lab kv repl                          all of these, a line each, over one connection`

export function addKvCommands(program: Command, io: Io): void {
  const kv = withExamples(program.command('kv').description('get and change values'), EXAMPLES)
  const session = ownClerks(io)
  addReadCommands(kv, session)
  addWriteCommands(kv, session)
  addWatchCommand(kv, session)
  session
    .leaf(kv, 'repl', 'read commands from standard input, a line each')
    .action(async (flags: KvFlags) => {
      const clerk = await connectClerk(flags, io)
      try {
        await repl({ clerk, flags, io })
      } finally {
        await clerk.close()
      }
    })
}
