import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Approach, Work } from './approach.ts'
import { measure, runWhole } from './process-usage.ts'
import { dateColumns } from './shop.ts'
import { splitDdl } from './split-ddl.ts'

/**
 * pgloader into the tables of the DDL. Its work-arounds: dates are read as text from a copy of the file where milliseconds
 * were turned into ISO text beforehand (it takes them for years), small batches (1 kB payloads run it out of memory), data
 * only, and the keys made by psql afterwards, as its own come out under other names.
 */
export function pgloader({ file, ddl, folder, signal }: Work): Approach {
  const at = (name: string) => join(folder, `pgloader-${name}`)
  const psql = `psql -q -v ON_ERROR_STOP=1 "$POSTGRES_URL" -f`
  return {
    on: 'empty',
    prepare: async () => {
      const { tables, rest } = splitDdl(ddl)
      writeFileSync(at('tables.sql'), tables)
      writeFileSync(at('rest.sql'), rest)
      copyFileSync(file, at('app.db'))
      const updates = Object.entries(dateColumns).map(
        ([table, column]) =>
          `UPDATE "${table}" SET "${column}" = strftime('%Y-%m-%dT%H:%M:%fZ', "${column}" / 1000.0, 'unixepoch') WHERE typeof("${column}") = 'integer'`,
      )
      await runWhole('sqlite3', [at('app.db'), updates.join(';')], { env: {}, signal })
    },
    run: (url) => {
      writeFileSync(
        at('move.load'),
        `LOAD DATABASE FROM sqlite://${at('app.db')} INTO ${url.replace('?sslmode=disable', '')}
 WITH data only, quote identifiers, prefetch rows = 1000
 CAST type datetime to timestamptz drop typemod, type jsonb to jsonb drop typemod
 SET timezone TO 'UTC';
`,
      )
      return measure(
        'sh',
        [
          '-c',
          `${psql} ${at('tables.sql')} && timeout 1200 pgloader --quiet ${at('move.load')} && ${psql} ${at('rest.sql')}`,
        ],
        { env: { POSTGRES_URL: url }, signal },
      )
    },
  }
}
