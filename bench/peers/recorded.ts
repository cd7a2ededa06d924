/**
 * What peers did on the kind of machine that our recorded runs are of (two virtual cores, ext4, November 2026), loaded by clients
 * that cost less than ours in Node: a Go client for etcd 3.4.23, a Java client for ZooKeeper 3.8.0, both of Debian 12. Values of 256
 * bytes, three servers, every write synced. By operations in flight.
 */
export const RECORDED = {
  etcd: {
    /** Medians of four runs. */
    puts: { 1: 849, 16: 3442, 64: 5646, 256: 6988, 1000: 9187 },
    /** Linearizable, servers freshly restarted. */
    gets: { 1: 2149, 16: 5938, 64: 13_453, 256: 9872, 1000: 13_082 },
    /** SIGKILL of the leader until the first write: median of ten. */
    failoverMs: 1419,
    /** With a million keys until the first read of one node, and the first write after all were killed: seconds. */
    restartOneSeconds: 2.66,
    restartAllSeconds: 5.4,
    residentMb: '1 000–1 390',
  },
  zookeeper: {
    puts: { 1: 962, 16: 4527, 64: 9162, 256: 12_077, 1000: 14_620 },
    /** Of the server's own memory, perhaps stale: weaker than ours. */
    gets: { 1: 2855, 64: 21_528, 1000: 26_332 },
  },
} as const

/** What a peer reached with so many in flight; undefined where nobody measured. */
export function recorded(figures: Readonly<Record<number, number>>, inFlight: number): number | undefined {
  return figures[inFlight]
}
