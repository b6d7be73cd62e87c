import type { DescribedItem } from './postgres-structure.ts'
import { readSourceTables, type SourceTable } from './sqlite-catalog.ts'
import { readTableDetails, sqlTokens } from './sqlite-ddl.ts'
import type { SqliteDatabase } from './sqlite.ts'

/** Everything that the file's schema says of the application's own tables, as lines that can be compared. */
export function describeSqlite(database: SqliteDatabase): DescribedItem[] {
  const tables = readSourceTables(database).filter(({ owner }) => owner === undefined)
  const own = new Set(tables.map(({ name }) => name))
  const rest = database
    .prepare(
      `SELECT type, name, tbl_name AS "on", sql FROM sqlite_schema WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL`,
    )
    .all() as { type: string; name: string; on: string; sql: string }[]
  return [
    ...tables.flatMap((table) => describeTable(database, table)),
    ...rest
      .filter(({ type, on }) => type !== 'index' || own.has(on))
      .map(({ type, name, sql }) => ({ kind: type, name, definition: normal(sql) })),
  ].toSorted((a, b) => (`${a.kind}\0${a.name}` < `${b.kind}\0${b.name}` ? -1 : 1))
}

function describeTable(database: SqliteDatabase, table: SourceTable): DescribedItem[] {
  const { name, sql, columns, primaryKey, foreignKeys } = table
  const { checks, generated, deferred, collations } = readTableDetails(sql)
  const words = sqlTokens(sql)
    .filter(({ kind }) => kind === 'word')
    .map(({ text }) => text.toUpperCase())
  const kinds = [
    table.virtual && `using ${table.virtual.module}`,
    words.includes('AUTOINCREMENT') && 'counts up',
    words.includes('ROWID') && words.includes('WITHOUT') && 'without rowid',
    words.at(-1) === 'STRICT' && 'strict',
  ]
  const item = (kind: string, of: string, definition: string) => ({ kind, name: `${name}${of}`, definition })
  return [
    item('table', '', kinds.filter(Boolean).join(', ')),
    ...columns.map((column) => {
      const key = column.name.toLowerCase()
      const made = generated.get(key)
      return item(
        'column',
        `.${column.name}`,
        [
          column.declaredType.toUpperCase(),
          column.notNull && 'not null',
          column.defaultSql !== null && `default ${normal(column.defaultSql)}`,
          made && `as ${normal(made.expression)}`,
          collations.get(key),
        ]
          .filter(Boolean)
          .join(' '),
      )
    }),
    ...(primaryKey.length > 0 ? [item('primary key', '', primaryKey.join(', '))] : []),
    ...uniqueConstraints(database, name).map((columns) => item('unique', ` (${columns.join(', ')})`, '')),
    ...checks.map(({ expression }) => item('check', ` ${normal(expression)}`, '')),
    ...foreignKeys.map(({ columns, parent, parentColumns, onDelete, onUpdate }) =>
      item(
        'foreign key',
        ` (${columns.join(', ')})`,
        `${parent} (${parentColumns.join(', ')}) on delete ${onDelete} on update ${onUpdate}${deferred.some((one) => one.join() === columns.join()) ? ' deferred' : ''}`,
      ),
    ),
  ]
}

/** Those that the table itself declares: an index of its own is described as an index. */
function uniqueConstraints(database: SqliteDatabase, table: string): string[][] {
  const rows = database
    .prepare(
      `SELECT (SELECT json_group_array(name) FROM (SELECT c.name FROM pragma_index_info(i.name) c ORDER BY c.seqno)) AS columns
         FROM pragma_index_list(?) i WHERE i.origin = 'u'`,
    )
    .pluck()
    .all(table) as string[]
  return rows.map((columns) => JSON.parse(columns) as string[])
}

/** Without comments, blanks and the differences of quoting, as two writers of one statement would differ. */
function normal(sql: string): string {
  return sqlTokens(sql)
    .map(({ kind, text }) => (kind === 'string' ? `'${text}'` : kind === 'word' ? text.toLowerCase() : text))
    .join(' ')
    .replaceAll(/\bif not exists /g, '')
}
