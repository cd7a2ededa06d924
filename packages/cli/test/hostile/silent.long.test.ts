import { silentTests } from './silent-tests.ts'

silentTests([
  ['tcp', 10_000],
  ['tls', 10_000],
  ['ws', 10_000],
  ['wss', 10_000],
])
