import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { copyIn, quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { OpenPart } from '../../model/source.ts'
import { counted } from '../../runs/counted.ts'
import type { PostgresDetails } from '../details.ts'
import { FrameReader } from '../frames.ts'
import { makeLargeObjects, largeObjectRows } from '../large-objects.ts'
import type { RowSet } from '../rows.ts'

const staging = '"pg_temp"."_outgrow_rows"'

/** Loads all parts of a backup that hold rows, within a transaction. @throws Failure OUTGROW_RESTORE_FAILED */
export async function loadParts(
  client: PostgresClient,
  parts: PostgresDetails['parts'],
  rowSets: readonly RowSet[],
  openPart: OpenPart,
  onBytes: (done: number) => void,
): Promise<void> {
  let done = 0
  for (const { name, tables } of parts) {
    const bytes = counted(openPart(name), ({ length }) => onBytes((done += length)))
    const reader = new FrameReader(bytes)
    try {
      for (const table of tables) await loadRows(client, rowSets[table] as RowSet, reader.next())
      await reader.end()
    } finally {
      await reader.close()
    }
  }
}

/**
 * Loads rows as they come out of a backup, within a transaction.
 * @throws Failure OUTGROW_RESTORE_FAILED
 */
async function loadRows(client: PostgresClient, rows: RowSet, pieces: AsyncIterable<Buffer>): Promise<void> {
  try {
    await load(client, rows, pieces)
  } catch (error) {
    // Of the values: data exceptions and violations. Anything else is not about the rows.
    if (!/^2[23]...$/.test((error as { code?: string }).code ?? '')) throw error
    throw new Failure({
      code: 'OUTGROW_RESTORE_FAILED',
      message: `The server did not take the rows of ${rows.label}: ${messageOf(error)}`,
      why: 'A restore is one transaction: the target is as it was.',
      fix: 'Restore another backup (`outgrow backup list`), or into a server of the version of the source.',
      cause: error,
    })
  }
}

async function load(client: PostgresClient, rows: RowSet, pieces: AsyncIterable<Buffer>): Promise<void> {
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
