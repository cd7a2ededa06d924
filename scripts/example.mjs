// `npm run example`: the course. `npm run example 03 -- --transport websocket`: one of it, from its source.
import { join } from 'node:path'
import { examples } from './lib/examples.mjs'
import { runSource } from './lib/run-source.mjs'

const [wanted, ...rest] = process.argv.slice(2).filter((argument) => argument !== '--')
const course = examples()

if (wanted === undefined || wanted === '--help' || wanted === '-h') {
  const width = Math.max(...course.map(({ folder }) => folder.length))
  for (const { folder, summary } of course) console.log(`${folder.padEnd(width)}  ${summary}`)
  console.log('\nRun one: npm run example 01            over TCP, or on what suits it')
  console.log('         npm run example 01 -- --transport memory|tcp|websocket')
} else {
  const example = course.find(({ folder, number }) => wanted.padStart(2, '0') === number || wanted === folder)
  if (example === undefined) {
    console.error(
      `npm run example: there is no example "${wanted}"; there are ${course.map(({ folder }) => folder).join(', ')}`,
    )
    process.exit(2)
  }
  runSource(join(example.directory, 'main.ts'), rest)
}
