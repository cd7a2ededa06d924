import { silentTests } from './silent-tests.ts'

silentTests([
  ['tcp', 1400],
  ['tls', 200],
  ['ws', 200],
  ['wss', 200],
])
