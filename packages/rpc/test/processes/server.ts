/** A process of its own: serves at the port given, tells its address, and is killed by the test. */
import { bytesCodec, implement, serve, service, stream, unary } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'

export const Remote = service('remote', {
  echo: unary<Uint8Array, Uint8Array>({ request: bytesCodec, response: bytesCodec }),
  hang: unary(),
  ticks: stream<undefined, number>(),
})

if (process.argv[2] !== undefined) {
  const server = await serve({ transport: tcp(), listen: `127.0.0.1:${process.argv[2]}` }, [
    implement(Remote, {
      echo: (bytes) => bytes,
      hang: () => new Promise(() => undefined),
      async *ticks() {
        for (let n = 1; ; n++) yield await Promise.resolve(n)
      },
    }),
  ])
  console.log(server.address)
}
