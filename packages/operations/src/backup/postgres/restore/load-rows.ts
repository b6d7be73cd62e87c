import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { copyIn, quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { makeLargeObjects, largeObjectRows } from '../large-objects.ts'
import type { RowSet } from '../rows.ts'

const staging = '"pg_temp"."_outgrow_rows"'

/** Loads rows as they come out of a backup, within a transaction. */
export async function loadRows(
  client: PostgresClient,
  rows: RowSet,
  pieces: AsyncIterable<Buffer>,
): Promise<void> {
  const copy = async (table: string) => {
    const sql = `COPY ${table}${listOf(rows)} FROM STDIN (FORMAT binary)`
    await pipeline(Readable.from(pieces, { objectMode: false }), copyIn(client, sql))
  }
  const isStaged = rows === largeObjectRows || rows.columns.some(({ asText }) => asText)
  if (!isStaged) return copy(rows.label)

  // What was read as text is read back by a cast.
  const forms = rows.columns.map(
    ({ name, asText, fullType }) => `${quoteIdentifier(name)} ${asText ? 'text' : fullType}`,
  )
  await client.query(`CREATE TEMPORARY TABLE "_outgrow_rows" (${forms.join(', ')})`)
  await copy(staging)
  const values = rows.columns.map(
    ({ name, asText, fullType }) => `${quoteIdentifier(name)}${asText ? `::${fullType}` : ''}`,
  )
  const statements =
    rows === largeObjectRows
      ? makeLargeObjects(staging)
      : [
          `INSERT INTO ${rows.label}${listOf(rows)} OVERRIDING SYSTEM VALUE SELECT ${values.join(', ')} FROM ${staging}`,
        ]
  for (const statement of statements) await client.query(statement)
  await client.query(`DROP TABLE ${staging}`)
}

/** A table may have no columns, or none that are not generated. */
function listOf({ columns }: RowSet): string {
  return columns.length === 0 ? '' : ` (${columns.map(({ name }) => quoteIdentifier(name)).join(', ')})`
}
