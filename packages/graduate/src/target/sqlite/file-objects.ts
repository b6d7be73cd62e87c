import type { SqliteDatabase } from '@outgrow/databases'
import type { FileObjects } from '../../model/file-objects.ts'

/** Reads what a file that was just made has. */
export function fileObjects(database: SqliteDatabase): FileObjects {
  const names = database
    .prepare("SELECT name FROM sqlite_schema WHERE type IN ('view', 'trigger', 'index')")
    .pluck()
    .all() as string[]
  const rows = database
    .prepare(
      `SELECT s.name AS "table", i.name AS name, i."unique" AS isUnique, c.name AS column
         FROM sqlite_schema s, pragma_index_list(s.name) i, pragma_index_info(i.name) c
        WHERE s.type = 'table' AND NOT i.partial ORDER BY i.name, c.seqno`,
    )
    .all() as { table: string; name: string; isUnique: number; column: string | null }[]
  const indexes = new Map<string, { columns: string[]; isUnique: boolean }[]>()
  for (const own of Map.groupBy(rows, ({ name }) => name).values()) {
    const [first] = own as [(typeof own)[number]]
    if (own.some(({ column }) => column === null)) continue
    const known = indexes.get(first.table) ?? []
    known.push({ columns: own.map(({ column }) => column as string), isUnique: first.isUnique === 1 })
    indexes.set(first.table, known)
  }
  return { names: new Set(names), indexes }
}
