import { quoted } from '../prisma/sql/quoted.ts'
import { inbox } from './adoption.ts'
import type { AdoptConnection } from './connection.ts'

/** Keeps a table that has the inbox's name, and is none, under another one; its indexes make room for the new ones. */
export async function setAside(connection: AdoptConnection): Promise<string> {
  let name = `${inbox}_before`
  for (let number = 2; (await connection.columnsOf(name)).length > 0; number++)
    name = `${inbox}_before_${number}`
  await connection.script(`ALTER TABLE ${inbox} RENAME TO ${quoted(name)}`)
  if (connection.provider === 'postgres') {
    const indexes = await connection.query(
      'SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ?',
      [name],
    )
    for (const [at, { name: index }] of indexes.entries()) {
      const free = quoted(`${name}_index_${at + 1}`)
      await connection.script(`ALTER INDEX ${quoted(String(index))} RENAME TO ${free}`)
    }
  } else {
    const indexes = await connection.query(
      `SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`,
      [name],
    )
    // SQLite cannot rename an index; those that only help reading are not needed any more.
    for (const { name: index } of indexes) await connection.script(`DROP INDEX ${quoted(String(index))}`)
  }
  return name
}
