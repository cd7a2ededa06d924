// `npm run build`: dist/ of every package, those that did not change from the cache.
import { pnpm } from './lib/pnpm.mjs'

pnpm(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only'])
