import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Approach, Work } from './approach.ts'
import { measure } from './process-usage.ts'
import { dateColumns } from './shop.ts'
import { splitDdl } from './split-ddl.ts'

/** CSV from SQLite's shell into \copy, table after table; dates turned by SQL on the way. */
export function csvPipe({ file, ddl, folder, signal }: Work): Approach {
  const at = (name: string) => join(folder, `csv-${name}`)
  const psql = 'psql -q -v ON_ERROR_STOP=1 "$POSTGRES_URL"'
  const pipes = Object.keys(dateColumns).map(
    (table) =>
      `sqlite3 -csv -readonly ${file} < ${at(`${table}.sql`)} | ${psql} -c '\\copy "${table}" FROM STDIN CSV'`,
  )
  const script = `set -e; ${psql} -f ${at('tables.sql')}; ${pipes.join('; ')}; ${psql} -f ${at('rest.sql')}`
  return {
    on: 'empty',
    prepare: () => {
      const { tables, rest } = splitDdl(ddl)
      writeFileSync(at('tables.sql'), tables)
      writeFileSync(at('rest.sql'), rest)
      for (const [table, column] of Object.entries(dateColumns))
        writeFileSync(at(`${table}.sql`), `SELECT ${selected(file, table, column)} FROM "${table}";\n`)
    },
    run: (url) => measure('sh', ['-c', script], { env: { POSTGRES_URL: url }, signal }),
  }
}

/** The columns of a table, as its Postgres namesake takes them. */
function selected(file: string, table: string, dateColumn: string): string {
  return execFileSync('sqlite3', [
    file,
    `SELECT group_concat(CASE name WHEN '${dateColumn}' THEN 'CASE typeof("${dateColumn}") WHEN ''integer'' THEN strftime(''%Y-%m-%dT%H:%M:%fZ'', "${dateColumn}" / 1000.0, ''unixepoch'') ELSE "${dateColumn}" END' ELSE '"' || name || '"' END, ', ') FROM pragma_table_info('${table}')`,
  ])
    .toString()
    .trim()
}
