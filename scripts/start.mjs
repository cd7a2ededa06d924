// `npm start`: a book into a sharded store on four machines, which grows and is killed on the way. The demo itself is in demo/src.
import './register-source.mjs'
import { root } from './lib/root.mjs'

const { main } = await import('../demo/src/main.ts')
await main(process.argv.slice(2), root)
