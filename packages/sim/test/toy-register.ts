/** A register on one server that keeps its value in a file: small enough to see by eye what is right and what is not. */
import { connect, implement, serve, service, unary, type DiskFile } from '@lab/rpc'
import { registerModel, type RegisterOp, type RegisterResult, type Scenario, type SimProcess } from '@lab/sim'

const Register = service('register', {
  read: unary<{ key: string }, string | null>(),
  write: unary<{ key: string; value: string }, null>(),
})

export interface ToyOptions {
  /** Answers a write before it is on the disk. */
  readonly forgetsToSync?: boolean
}

type RegisterClient = Awaited<ReturnType<typeof connectTo>>

/** One line of JSON, padded: whole or not at all, as it is shorter than a sector. */
const LINE_BYTES = 256

export function toyRegister({ forgetsToSync = false }: ToyOptions = {}): Scenario<
  null,
  RegisterClient,
  RegisterOp,
  RegisterResult
> {
  return {
    name: 'toy-register',
    nodes: [1],
    clients: [2],
    durationMs: 3000,
    operationsPerSecond: 30,
    faults: ['kill', 'crash', 'pause', 'bad-link', 'slow-disk', 'clock-rate', 'clock-jump'],
    model: registerModel,
    draw: (random, { client, count }) =>
      random.next() < 0.5
        ? { op: 'read', key: 'x' }
        : { op: 'write', key: 'x', value: `${client}.${String(count)}` },
    async start(process) {
      const { file, value } = await openValue(process)
      let current = value
      await serve({ ...seams(process), listen: 'memory://n1' }, [
        implement(Register, {
          read: () => current,
          async write({ value: next }) {
            await writeValue(file, next, !forgetsToSync)
            current = next
            return null
          },
        }),
      ])
      return null
    },
    connect: connectTo,
    async perform(client, op) {
      if (op.op === 'read') return client.read({ key: op.key }, { timeout: 400 })
      if (op.op === 'write') return client.write({ key: op.key, value: op.value }, { timeout: 400 })
      throw new Error('not drawn')
    },
    outcomeOf: (thrown) =>
      (thrown as { readonly executed?: unknown }).executed === 'no' ? 'fail' : 'unknown',
  }
}

function connectTo(process: SimProcess) {
  return connect(Register, 'memory://n1', seams(process))
}

/** What rpc asks of the machine. */
function seams({ transport, clock, random, trace }: SimProcess) {
  return { transport, clock, random, ...(trace === undefined ? {} : { trace }) }
}

async function openValue({ disk }: SimProcess): Promise<{ file: DiskFile; value: string | null }> {
  await disk.makeDirectory('data')
  const file = await disk.open('data/value', { create: true })
  const text = new TextDecoder()
    .decode(await file.read(0, LINE_BYTES))
    .replaceAll('\0', '')
    .trim()
  await file.sync()
  await disk.syncDirectory('data')
  return { file, value: text === '' ? null : text }
}

async function writeValue(file: DiskFile, value: string, sync: boolean): Promise<void> {
  await file.write(new TextEncoder().encode(value.padEnd(LINE_BYTES)), 0)
  if (sync) await file.sync()
}
