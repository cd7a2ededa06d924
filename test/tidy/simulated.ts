/**
 * What runs in the simulator must be the same in every run and on every machine: time, chance and files come in by
 * Clock, Random and Disk, and nothing asks the machine behind their back.
 */
import type { Rule } from './rule.ts'
import type { Found, Source } from './source.ts'

/** The only places that touch the machine: the system's clock and randomness, sockets, files, and the command. */
const MACHINE = [
  'packages/rpc/src/clock.ts',
  'packages/rpc/src/random.ts',
  'packages/rpc/src/tcp/',
  'packages/rpc/src/tls/',
  'packages/rpc/src/websocket/',
  'packages/rpc/src/disk/',
  'packages/cli/src/',
  'packages/mapreduce/src/node/', // files, threads, processes and pages
  'packages/mapreduce/src/data/', // records and spills, read and written without waiting
  'packages/mapreduce/src/kernels/',
  'packages/trace/src/page/', // runs in a browser's page, and nowhere else
]

/** Names the machine's own without letting a run depend on it. */
const EXCEPTIONS = [
  'packages/rpc/src/testing/turn.ts', // waits for a turn of the real event loop, in which virtual time stands still
  'packages/raft/src/testing/forbidden.ts', // stands in for them, to catch a state machine that calls them
]

const GLOBALS = new Set([
  ...['setTimeout', 'setInterval', 'setImmediate', 'performance', 'Date', 'Intl', 'crypto', 'fetch'],
  ...['ReadableStream', 'WritableStream', 'TransformStream', 'CompressionStream', 'DecompressionStream'],
  ...['MessageChannel', 'BroadcastChannel', 'WebSocket', 'Worker', 'process', 'Buffer'],
])
const GLOBAL_MEMBERS = new Set([
  ...[
    'Math.random',
    'Math.exp',
    'Math.expm1',
    'Math.log',
    'Math.log2',
    'Math.log10',
    'Math.log1p',
    'Math.pow',
  ],
  ...['Math.sin', 'Math.cos', 'Math.tan', 'Math.cbrt', 'Math.sinh', 'Math.cosh', 'Math.tanh', 'Math.hypot'],
  'AbortSignal.timeout',
])
const MEMBERS = new Set([
  'localeCompare',
  'toLocaleString',
  'toLocaleUpperCase',
  'toLocaleLowerCase',
  'stack',
])

export function inSimulator(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path) && !MACHINE.some((place) => path.startsWith(place))
}

function asksTheMachine({ what }: Found): boolean {
  return GLOBALS.has(what.split('.')[0] ?? what) || GLOBAL_MEMBERS.has(what)
}

function describe({ what, line }: Found): string {
  return `${line}: ${what}`
}

function inCore(path: string): boolean {
  return /^packages\/[^/]+\/src\/(.*\/)?core\//.test(path)
}

export const simulatedRules: readonly Rule[] = [
  {
    title: 'no real time, chance, locale or stream in what runs in the simulator',
    applies: (path) => inSimulator(path) && !EXCEPTIONS.includes(path),
    violations: (source) => [
      ...source.names.filter(asksTheMachine).map(describe),
      ...source.members.filter(({ what }) => MEMBERS.has(what)).map(describe),
    ],
    broken: {
      path: 'packages/raft/src/node.ts',
      text: 'export const late = (): number => Date.now() + Math.random() * 2\n',
    },
  },
  {
    title: 'nothing but the sockets, the files and the command imports node: modules or ws',
    applies: inSimulator,
    violations: (source) =>
      source.imports.filter(({ what }) => what.startsWith('node:') || what === 'ws').map(describe),
    broken: { path: 'packages/raft/src/node.ts', text: "const fs = await import('node:fs')\n" },
  },
  {
    title: 'no promise in a core/: inputs in, decisions out',
    applies: inCore,
    violations: (source: Source) => [
      ...source.asynchronous.map(describe),
      ...source.names.filter(({ what }) => /^(Promise|queueMicrotask)\b/.test(what)).map(describe),
    ],
    broken: {
      path: 'packages/raft/src/core/raft.ts',
      text: 'export const f = async (): Promise<void> => {}\n',
    },
  },
  {
    title: 'no await at the top of a module: it would break require()',
    applies: (path) => /^packages\/[^/]+\/src\//.test(path),
    violations: (source) =>
      source.asynchronous.filter(({ top, what }) => top && what !== 'async').map(describe),
    broken: { path: 'packages/cli/src/main.ts', text: "export const ws = await import('ws')\n" },
  },
]
