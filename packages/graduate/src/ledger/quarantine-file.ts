import { closeSync, openSync, writeSync } from 'node:fs'
import { parsePostgresUrl, withPostgres } from '@outgrow/databases'
import { qualified } from '../target/postgres/constraints.ts'

/** Writes the rows that were set aside, one JSON object a line: `{table, key, column, reason, row}`. Returns how many. */
export async function writeQuarantineFile(to: string, path: string): Promise<number> {
  const target = parsePostgresUrl(to)
  const table = qualified({ schema: target.schema, name: '_outgrow_quarantine' })
  const file = openSync(path, 'w', 0o600)
  let written = 0
  try {
    await withPostgres(target, async (client) => {
      for (let last = '0'; ;) {
        const { rows } = await client.query<{ id: string; line: string }>(
          `SELECT id, json_build_object('table', table_name, 'key', key, 'column', column_name, 'reason', reason, 'row', row)::text AS line
             FROM ${table} WHERE id > $1 ORDER BY id LIMIT 1000`,
          [last],
        )
        for (const { line } of rows) writeSync(file, `${line}\n`)
        written += rows.length
        const end = rows.at(-1)
        if (end === undefined) return
        last = end.id
      }
    })
  } finally {
    closeSync(file)
  }
  return written
}
