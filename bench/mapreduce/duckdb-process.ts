/** A contest in DuckDB, two threads: `duckdb-process.ts FOLDER CONTEST INPUT OUTPUT`, with @duckdb/node-api in FOLDER. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface DuckDb {
  readonly DuckDBInstance: {
    create(path: string, options: Record<string, string>): Promise<{ connect(): Promise<Connection> }>
  }
}
interface Connection {
  run(statement: string): Promise<unknown>
}

const [folder = '', contest = '', input = '', output = ''] = process.argv.slice(2)

/** Lines as they stand, with the name of their file. */
const lines = `read_csv('${input}', header = false, delim = E'\\x01', quote = '', escape = '', auto_detect = false, filename = true,
  columns = { 'line': 'VARCHAR' })`
const words = `select unnest(string_split(translate(line, ',', ' '), ' ')) word, filename from ${lines}`
const file = `regexp_extract(filename, 'text-[0-9]+')`
const statements: Readonly<Record<string, string>> = {
  'word count': `select word, count(*) from (${words}) where word <> '' group by word`,
  'inverted index': `select word, string_agg(distinct ${file}, ' ' order by ${file}) from (${words}) where word <> '' group by word`,
  'search for text': `select line from ${lines} where contains(line, 'zqx')`,
  'search by expression': `select line from ${lines} where regexp_matches(line, 'zq[xj]')`,
  'sort of 100 B records': `select line from ${lines} order by line`,
}

const module = createRequire(join(folder, 'index.js')).resolve('@duckdb/node-api')
const { DuckDBInstance } = (await import(pathToFileURL(module).href)) as DuckDb
const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
const connection = await instance.connect()
await connection.run(
  `copy (${statements[contest] ?? ''}) to '${output}' (header false, delim '\\t', quote '')`,
)
