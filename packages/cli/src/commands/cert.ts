/** `lab cert`: a private authority, and certificates for nodes and clients. */
import { createAuthority, issueCertificate, type KeyPair } from '@lab/rpc/tls'
import { Option, type Command } from 'commander'
import { AUTHORITY, LOCAL_HOSTS, readAuthority, writeKeyPair } from '../certificates.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRow, type Format } from '../output.ts'
import { parseCount, splitList, usage } from '../parse.ts'
import { name as nameReader } from '../server/shapes.ts'

interface Flags {
  readonly out: string
  readonly days?: number
  readonly host?: readonly string[]
  readonly output: Format
}

const EXAMPLES = `
  lab cert ca --out certs                          certs/ca.pem for everybody, certs/ca.key for you alone
  lab cert node m1 --host 10.0.0.1 --out certs     certs/m1.pem and m1.key, for that machine
  lab cert client backup --out certs               for a client, where servers ask all for certificates`

export function addCertCommands(program: Command, io: Io): void {
  const cert = withExamples(program.command('cert').description('make certificates for TLS'), EXAMPLES)
  const command = (name: string, what: string): Command =>
    withExamples(addOutputOption(cert.command(name).description(what)), EXAMPLES)
      .addOption(new Option('--out <folder>', 'where the authority is, and where files go').default('certs'))
      .addOption(new Option('--days <count>', 'how long it counts').argParser(parseCount))

  command('ca', 'an authority of your own').action((flags: Flags) =>
    write(AUTHORITY, createAuthority(validity(flags)), flags, io),
  )
  command('node', "a server's: it names the node, and the hosts at which it is reached")
    .argument('<id>')
    .addOption(
      new Option('--host <names...>', 'host names and IP addresses (default: of this machine alone)'),
    )
    .action((id: string, flags: Flags) => {
      const hosts = flags.host?.flatMap(splitList) ?? LOCAL_HOSTS
      return issue({ name: id, hosts, usage: 'node' }, flags, io)
    })
  command('client', "a client's")
    .argument('<name>')
    .action((name: string, flags: Flags) => issue({ name, usage: 'client' }, flags, io))
}

async function issue(
  { name, hosts = [], usage: purpose }: { name: string; hosts?: readonly string[]; usage: 'node' | 'client' },
  flags: Flags,
  io: Io,
): Promise<void> {
  if (nameReader(name, 'the name') === AUTHORITY) throw usage(`${AUTHORITY} is the authority's name`)
  const authority = readAuthority(flags.out)
  await write(
    name,
    issueCertificate(authority, { name, hosts, usage: purpose, ...validity(flags) }),
    flags,
    io,
  )
}

function validity({ days }: Flags): { days?: number } {
  return days === undefined ? {} : { days }
}

async function write(name: string, pair: KeyPair, { out, output }: Flags, io: Io): Promise<void> {
  const { cert, key } = writeKeyPair(out, name, pair)
  await io.out(formatRow({ cert, key }, output, `${cert} and ${key}`))
}
