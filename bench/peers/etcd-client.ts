/** etcd's own API, as far as it is measured: puts and linearizable gets over gRPC, on several connections. */
import { ByteWriter } from '@lab/rpc'
import { GrpcConnection, GrpcMethod } from './grpc.ts'

const PUT = new GrpcMethod('/etcdserverpb.KV/Put')
const RANGE = new GrpcMethod('/etcdserverpb.KV/Range')
/** Protobuf: fields 1 and 2 of both requests are bytes. */
const KEY = 0x0a
const VALUE = 0x12

export class EtcdClient {
  readonly #connections: readonly GrpcConnection[]
  #next = 0

  static async connect(port: number, connections: number): Promise<EtcdClient> {
    return new EtcdClient(
      await Promise.all(Array.from({ length: connections }, () => GrpcConnection.connect(port))),
    )
  }

  private constructor(connections: readonly GrpcConnection[]) {
    this.#connections = connections
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    const request = new ByteWriter(16 + key.length + value.length)
    field(request, KEY, Buffer.from(key))
    field(request, VALUE, value)
    await this.#pick().call(PUT, request.finish())
  }

  /** @returns the whole answer, with the key and its value in it */
  get(key: string): Promise<Buffer> {
    const request = new ByteWriter(8 + key.length)
    field(request, KEY, Buffer.from(key))
    return this.#pick().call(RANGE, request.finish())
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  /** In turn. */
  #pick(): GrpcConnection {
    const connection = this.#connections[this.#next++ % this.#connections.length]
    if (connection === undefined) throw new Error('a client has a connection at least')
    return connection
  }
}

function field(writer: ByteWriter, tag: number, bytes: Uint8Array): void {
  writer.u8(tag).bytes(bytes)
}
