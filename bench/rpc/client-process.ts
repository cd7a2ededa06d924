/**
 * One client alone: a process that calls over TCP and WebSocket both runs code that is compiled for both, which no user of one has.
 * Told `{ inFlight, millis }`, answers with replies per second.
 */
import { variants, type VariantName } from './variants.ts'

const [name, address] = process.argv.slice(2) as [VariantName, string]
const client = await variants[name].dial(address)
process.on('message', ({ inFlight, millis }: { inFlight: number; millis: number }) => {
  void client.run(inFlight, millis).then((rate) => process.send?.(rate))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
