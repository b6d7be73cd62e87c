import { quoteIdentifier, type PostgresClient, type SqliteDatabase } from '@outgrow/databases'
import { qualified } from '../target/structure.ts'
import type { Move } from './move.ts'

/** Sets every counter past the highest id and past SQLite's own counter, which remembers deleted rows. */
export async function setSequences(move: Move, client: PostgresClient): Promise<void> {
  const counters = sqliteCounters(move.snapshot.database)
  for (const { source, target } of move.plan.tables) {
    for (const column of target.columns) {
      const found = await client.query<{ name: string | null }>(
        'SELECT pg_get_serial_sequence($1, $2) AS name',
        [qualified(target), column.name],
      )
      // A cloned table's default still names the counter of the table that it will replace.
      const sequence = found.rows[0]?.name ?? (await defaultSequence(client, target, column.name))
      if (sequence === undefined) continue
      const counted = counters.get(source.name) ?? 0n
      await client.query(
        `SELECT setval($1::regclass, highest::int8, true)
           FROM (SELECT greatest(max(${quoteIdentifier(column.name)})::numeric, $2::numeric) AS highest FROM ${qualified(target)}) x
          WHERE highest >= 1`,
        [sequence, String(counted)],
      )
    }
  }
}

async function defaultSequence(
  client: PostgresClient,
  table: { schema: string; name: string },
  column: string,
): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT s.oid::regclass::text AS name FROM pg_attrdef d
       JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
       JOIN pg_depend x ON x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_class'::regclass
       JOIN pg_class s ON s.oid = x.refobjid AND s.relkind = 'S'
      WHERE d.adrelid = $1::regclass AND a.attname = $2`,
    [qualified(table), column],
  )
  return rows[0]?.name
}

function sqliteCounters(database: SqliteDatabase): Map<string, bigint> {
  const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get()
  if (!known) return new Map()
  const rows = database.prepare('SELECT name, seq FROM sqlite_sequence').safeIntegers(true).all() as {
    name: string
    seq: unknown
  }[]
  return new Map(
    rows.filter(({ seq }) => typeof seq === 'bigint').map(({ name, seq }) => [name, seq as bigint]),
  )
}
