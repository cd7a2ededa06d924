/** What a file `bench/<name>.bench.ts` exports as `benchmark`. run.ts finds it, runs it and prints its rows. */
export interface Benchmark {
  /** What is measured, in one line: `RPC round trips, 256 B, two processes`. */
  readonly title: string
  /** Takes longer than belongs into a run of all: measured only when it is named. Says with what options. */
  readonly byName?: string
  /** Measures within `options.seconds`. Rows have the same columns; the baseline of the same run is one of them, or a row. */
  run(options: BenchmarkOptions): Promise<readonly Row[]>
}

export interface BenchmarkOptions {
  /** How long this benchmark may take, in seconds, its start-up included. */
  readonly seconds: number
  /** How large the input is to be, by `--size`; the benchmark then takes the seconds that it takes. */
  readonly bytes?: number
  /** Outside programs that were asked for by `--peers` and found on this machine: name → path of the program. */
  readonly peers: ReadonlyMap<string, string>
  /** Tells how it goes, for people: on standard error. */
  readonly log: (line: string) => void
}

/** Column → value, printed in this order. Numbers are rounded for people: say the unit in the column's name. */
export type Row = Readonly<Record<string, string | number>>
