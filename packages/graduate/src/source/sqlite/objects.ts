import {
  readTableDetails,
  splitTokens,
  sqlTokens,
  type SourceTable,
  type SqlToken,
  type SqliteDatabase,
} from '@outgrow/databases'
import type { IndexTerm, SourceObject } from '../../model/source-object.ts'

/** Everything of that kind in the file, tables in their order; views and triggers last. */
export function readSourceObjects(database: SqliteDatabase, tables: SourceTable[]): SourceObject[] {
  return [
    ...tables
      .filter(({ owner, virtual }) => owner === undefined && virtual === undefined)
      .flatMap((table) => objectsOfTable(database, table)),
    ...viewsAndTriggers(database),
  ]
}

function objectsOfTable(database: SqliteDatabase, table: SourceTable): SourceObject[] {
  const details = readTableDetails(table.sql)
  const at = (column: string) => `${table.name}.${column}`
  const objects: SourceObject[] = []
  for (const { name: column, notNull, defaultSql, generated } of table.columns) {
    const named = { table: table.name, name: at(column), columns: [column] }
    const computed = details.generated.get(column.toLowerCase())
    if (generated && computed) {
      const { expression } = computed
      objects.push({ ...named, kind: 'generated column', expression, sql: `${column} AS (${expression})` })
    }
    if (notNull) objects.push({ ...named, kind: 'not null', sql: `${column} NOT NULL` })
    if (defaultSql !== null && !/^\(*null\)*$/i.test(defaultSql.trim())) {
      objects.push({
        ...named,
        kind: 'default',
        expression: defaultSql,
        sql: `${column} DEFAULT ${defaultSql}`,
      })
    }
  }
  objects.push(...indexesOf(database, table))
  for (const key of table.foreignKeys) {
    const columns = key.columns.join(', ')
    objects.push({
      kind: 'foreign key',
      table: table.name,
      name: at(columns),
      columns: key.columns,
      key,
      isDeferred: details.deferred.some(
        (own) => own.join().toLowerCase() === key.columns.join().toLowerCase(),
      ),
      sql: `FOREIGN KEY (${columns}) REFERENCES ${key.parent}${key.parentColumns.length > 0 ? ` (${key.parentColumns.join(', ')})` : ''} ON DELETE ${key.onDelete} ON UPDATE ${key.onUpdate}`,
    })
  }
  for (const [index, { name, expression }] of details.checks.entries()) {
    objects.push({
      kind: 'check',
      table: table.name,
      name: name ?? `${table.name}_check${index + 1}`,
      columns: [],
      expression,
      sql: `CHECK (${expression})`,
    })
  }
  return objects
}

function indexesOf(database: SqliteDatabase, table: SourceTable): SourceObject[] {
  const rows = database
    .prepare(
      `SELECT l.name, l."unique" AS isUnique, s.sql FROM pragma_index_list(?) l
         LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC`,
    )
    .all(table.name) as { name: string; isUnique: number; sql: string | null }[]
  const rowidKey = table.primaryKey.length === 1 && !rows.some(({ name }) => isKeyOf(database, name, table))
  const implied: SourceObject[] =
    rowidKey && table.rowid !== undefined ? [uniqueOf(table, table.primaryKey)] : []
  return [
    ...implied,
    ...rows.map(({ name, isUnique, sql }): SourceObject => {
      const written = sql === null ? undefined : indexText(sql)
      const terms = termsOf(database, name, written?.terms ?? [])
      const columns = terms.filter(({ isColumn }) => isColumn).map(({ text }) => text)
      return {
        kind: isUnique === 1 ? 'unique' : 'index',
        table: table.name,
        name: sql === null ? `${table.name}.${columns.join(', ')}` : name,
        columns,
        terms,
        where: written?.where,
        sql: sql ?? `UNIQUE (${terms.map(termText).join(', ')})`,
      }
    }),
  ]
}

function termText({ text, collation }: IndexTerm): string {
  return collation === 'BINARY' ? text : `${text} COLLATE ${collation}`
}

/** The key of a table whose rowid it is: no index stands for it. */
function uniqueOf(table: SourceTable, columns: string[]): SourceObject {
  return {
    kind: 'unique',
    table: table.name,
    name: `${table.name}.${columns.join(', ')}`,
    columns,
    terms: columns.map((text) => ({ text, isColumn: true, collation: 'BINARY', descending: false })),
    where: undefined,
    sql: `PRIMARY KEY (${columns.join(', ')})`,
  }
}

function isKeyOf(database: SqliteDatabase, index: string, { primaryKey }: SourceTable): boolean {
  const names = database.prepare('SELECT name FROM pragma_index_info(?) ORDER BY seqno').pluck().all(index)
  return names.join() === primaryKey.join()
}

function termsOf(database: SqliteDatabase, index: string, written: string[]): IndexTerm[] {
  const rows = database
    .prepare(
      'SELECT name, "desc" AS isDescending, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno',
    )
    .all(index) as { name: string | null; isDescending: number; coll: string }[]
  return rows.map(({ name, isDescending, coll }, at) => ({
    text: name ?? written[at] ?? '',
    isColumn: name !== null,
    collation: coll.toUpperCase(),
    descending: isDescending === 1,
  }))
}

/** The terms and the condition of a CREATE INDEX, as they are written. */
export function indexText(sql: string): { terms: string[]; where: string | undefined } {
  const tokens = sqlTokens(sql)
  const open = tokens.findIndex(({ kind, text }) => kind === 'mark' && text === '(')
  let depth = 0
  let close = open
  for (; close < tokens.length; close++) {
    const { kind, text } = tokens[close] as SqlToken
    if (kind === 'mark' && text === '(') depth++
    if (kind === 'mark' && text === ')' && --depth === 0) break
  }
  const where = tokens[close + 1]
  return {
    terms: splitTokens(tokens.slice(open + 1, close)).map((part) => termSql(sql, part)),
    where: /^where$/i.test(where?.text ?? '') ? sql.slice(where?.end).trim() : undefined,
  }
}

/** An index' term without its direction. */
function termSql(sql: string, part: SqlToken[]): string {
  const last = part.at(-1)
  const terms = last?.kind === 'word' && /^(asc|desc)$/i.test(last.text) ? part.slice(0, -1) : part
  return sql.slice(terms[0]?.start, terms.at(-1)?.end)
}

function viewsAndTriggers(database: SqliteDatabase): SourceObject[] {
  const rows = database
    .prepare(
      // Those of a live graduation are no part of the application.
      "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') AND name NOT LIKE '\\_outgrow\\_%' ESCAPE '\\' ORDER BY type DESC, rowid",
    )
    .all() as { type: 'view' | 'trigger'; name: string; tbl_name: string; sql: string }[]
  return rows.map(({ type, name, tbl_name: table, sql }) => ({ kind: type, table, name, columns: [], sql }))
}
