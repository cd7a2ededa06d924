import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pageScript } from '../../scripts/lib/page-script.mjs'
import { library } from '../../tsup.base.ts'

export default library(import.meta.dirname, async () => {
  writeFileSync(join(import.meta.dirname, 'dist', 'page.js'), await pageScript())
})
