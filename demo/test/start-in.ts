// `npm start` with its folder in another place: node --import …/register-source.mjs start-in.ts ROOT [ARGUMENTS]
import { main } from '../src/main.ts'

const [root = '', ...argv] = process.argv.slice(2)
await main(argv, root)
