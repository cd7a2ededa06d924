/** Our own RPC: a typed service, each call awaited with its deadline. */
import { bytesCodec, connect, implement, serve, service, unary, type Transport } from '@lab/rpc'
import { closedLoop, PAYLOAD, type Echo } from './echo.ts'

const EchoService = service('bench.echo', {
  echo: unary<Uint8Array, Uint8Array>({ request: bytesCodec, response: bytesCodec }),
})

export function labRpc(transport: Transport): Echo {
  return {
    async serve() {
      const server = await serve({ transport, listen: '127.0.0.1:0' }, [
        implement(EchoService, { echo: (bytes) => bytes }),
      ])
      return server.address
    },

    async dial(address) {
      const client = await connect(EchoService, address, { transport })
      return {
        run: (inFlight, millis) =>
          closedLoop(inFlight, millis, (onReply) => {
            const caller = async (): Promise<void> => {
              do await client.echo(PAYLOAD)
              while (onReply())
            }
            for (let i = 0; i < inFlight; i++) void caller()
          }),
        close: () => client.close(),
      }
    },
  }
}
