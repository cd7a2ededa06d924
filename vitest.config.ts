import { defaultServerConditions } from 'vite'
import { configDefaults, defineConfig } from 'vitest/config'
import { mutationPlugin } from './test/mutations/plugin.ts'
import { BUNDLED, bundledPackages } from './test/shared/bundled-packages.ts'
import { Sequencer } from './test/shared/sequencer.ts'

// Packages of the workspace resolve to their sources: no build comes before the tests, and coverage sees src/.
const conditions = ['@lab/source', ...defaultServerConditions]
const long = process.env['LAB_LONG'] === '1'
// The run that counts lines leaves out what starts processes of its own: their lines are not seen, and npm test runs it all.
const quick = process.env['LAB_QUICK'] === '1'
const inProcesses = ['packages/cli/**', 'packages/*/test/processes/**', 'demo/**', 'examples/**', 'test/**']
const mutation = process.env['LAB_MUTATION'] ?? ''

// Mistakes are put into sources, and lines are counted in them. `LAB_BUNDLED=0` has all from source, for a debugger.
const fromSource =
  mutation !== '' || process.argv.includes('--coverage') || process.env['LAB_BUNDLED'] === '0'

export default defineConfig({
  plugins: [
    ...(mutation === '' ? [] : [mutationPlugin(mutation)]),
    ...(fromSource ? [] : [bundledPackages()]),
  ],
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/*/*.test.ts',
      'demo/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    exclude: [
      ...configDefaults.exclude,
      ...(long ? [] : ['**/*.long.test.ts']),
      ...(quick ? inProcesses : []),
    ],
    server: { deps: { external: [BUNDLED] } },
    reporters: ['./scripts/reporter.mjs'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One more than the cores of a small machine: a tenth of the time goes by waiting for processes, disks and sockets.
    maxWorkers: 3,
    // Modules keep no state of their own, so files need no process each: half of the time of a small file was loading it.
    isolate: false,
    sequence: { sequencer: Sequencer },
    coverage: {
      include: ['packages/*/src/**'],
      // Run in a browser and in processes, where their tests look at them and nobody counts lines.
      exclude: ['packages/trace/src/page/**', 'packages/cli/src/**'],
      reporter: ['text-summary', 'json-summary'],
      // Of the whole, so only where the whole is run.
      ...(process.env['CI'] === 'true'
        ? { thresholds: { statements: 92, lines: 94, branches: 85, functions: 92 } }
        : {}),
    },
  },
})
