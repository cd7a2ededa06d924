/** The parts of the admin port, and the edges of TLS and tokens on the command line. */
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readClientToken, readServerTokens } from '../src/security.ts'
import { parseAdminAddress } from '../src/server/admin/address.ts'
import { describeChecks } from '../src/server/admin/checks.ts'
import { renderPrometheus } from '../src/server/admin/prometheus.ts'
import { startAdmin } from '../src/server/admin/server.ts'
import { TraceRing } from '../src/server/admin/trace-ring.ts'
import { lab, matching } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

test('an admin address without a host is this machine’s alone', () => {
  expect(parseAdminAddress('9090')).toEqual({ host: '127.0.0.1', port: 9090, local: true })
  expect(parseAdminAddress(':9090')).toEqual({ host: '127.0.0.1', port: 9090, local: true })
  expect(parseAdminAddress('0.0.0.0:1')).toMatchObject({ host: '0.0.0.0', local: false })
  for (const text of ['', 'here', '1:2:3', '99999', 'a:1/metrics'])
    expect(() => parseAdminAddress(text)).toThrow(/--admin takes a port/)
})

test('an admin port that other machines can reach takes TLS and a token', async () => {
  const view = {} as Parameters<typeof startAdmin>[0]['view']
  const address = parseAdminAddress('0.0.0.0:0')
  await expect(startAdmin({ address, view, tls: undefined, token: 'x', insecure: false })).rejects.toThrow(
    /without TLS and token/,
  )
})

test('metrics are told in the text format of Prometheus, whatever is in a label', () => {
  const text = renderPrometheus([
    {
      name: 'a_total',
      help: 'A\ncount.',
      type: 'counter',
      samples: [{ labels: { to: 'x"\\\n' }, value: 2 }],
    },
    {
      ...{ name: 'b_seconds', help: 'B.', type: 'histogram' },
      samples: [{ labels: {}, value: { bounds: [0.5, 1], counts: [1, 2, 3], count: 6, sum: 9 } }],
    },
    { name: 'none', help: '', type: 'gauge', samples: [] },
  ])
  expect(text).toBe(
    [
      '# HELP a_total A count.',
      '# TYPE a_total counter',
      'a_total{to="x\\"\\\\\\n"} 2',
      '# HELP b_seconds B.',
      '# TYPE b_seconds histogram',
      'b_seconds_bucket{le="0.5"} 1',
      'b_seconds_bucket{le="1"} 3',
      'b_seconds_bucket{le="+Inf"} 6',
      'b_seconds_sum 9',
      'b_seconds_count 6',
      '',
    ].join('\n'),
  )
})

test('what keeps a server from being ready comes first', () => {
  const checks = [
    { name: 'running', problem: null },
    { name: 'kv-leader', problem: 'nobody is known to lead' },
  ]
  expect(describeChecks(checks)).toBe('[-] kv-leader: nobody is known to lead\n[+] running\nnot ready\n')
})

test('the ring keeps the newest events in order, passes them on, and leaves messages out', () => {
  const ring = new TraceRing('n1', 3)
  const passed: string[] = []
  const sink = ring.sink((event) => passed.push(event.k))
  for (const k of ['role', 'send', 'commit', 'apply', 'stop', 'note'] as const) sink({ n: 'n1', k })
  expect(passed).toHaveLength(6)
  const [header, ...events] = ring
    .dump()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly what?: string; readonly k?: string })
  expect(header).toMatchObject({ v: 1, nodes: ['n1'] })
  expect(events.map(({ k }) => k)).toEqual(['apply', 'stop', 'note'])
  expect(ring.dump(0).trim().split('\n')).toHaveLength(1)
  expect(ring.sink(undefined).messages).toBe(false)
})

test('a token for clients alone is everybody’s; with another role’s beside it each role has its own', () => {
  const file = join(temporaryFolder(), 'token')
  writeFileSync(file, ' one \n\ntwo\n')
  expect(readServerTokens({}, {})).toBeUndefined()
  expect(readServerTokens({ client: file }, {})).toEqual({
    ...{ client: ['one', 'two'], peer: ['one', 'two'], admin: ['one', 'two'] },
  })
  expect(readServerTokens({ client: file }, { LAB_PEER_TOKEN: 'p', LAB_TOKEN: 'not this' })).toEqual({
    ...{ client: ['one', 'two'], peer: ['p'] },
  })
  expect(readClientToken(file, { LAB_TOKEN: 'x' }, 'client')).toBe('one')
  expect(readClientToken(undefined, { LAB_TOKEN: 'x', LAB_ADMIN_TOKEN: 'y' }, 'client')).toBe('x')
  expect(readClientToken(undefined, { LAB_TOKEN: 'x', LAB_ADMIN_TOKEN: 'y' }, 'admin')).toBe('y')
  writeFileSync(file, '\n')
  expect(() => readServerTokens({ client: file }, {})).toThrow(/is empty/)
})

test('an authority is made once, its key is for its owner alone, and without it nothing is issued', async () => {
  const out = join(temporaryFolder(), 'certs')
  expect(await lab(['cert', 'node', 'm1', '--out', out])).toMatchObject({
    code: 3,
    talk: matching(/lab cert ca/),
  })
  expect(await lab(['cert', 'ca', '--out', out])).toMatchObject({ code: 0 })
  expect(statSync(join(out, 'ca.key')).mode & 0o777).toBe(0o600)
  expect(await lab(['cert', 'ca', '--out', out])).toMatchObject({ code: 1, talk: matching(/EEXIST/) })
  expect(await lab(['cert', 'node', 'm 1', '--out', out])).toMatchObject({ code: 2 })
  expect(await lab(['cert', 'node', 'ca', '--out', out])).toMatchObject({ code: 2 })
  expect(await lab(['cert', 'client', 'backup', '--days', '30', '--out', out])).toMatchObject({ code: 0 })
})
