import {
  quoteIdentifier,
  sqlTokens,
  type SourceColumn,
  type SourceTable,
  type SqliteDatabase,
} from '@outgrow/databases'
import { indexText } from '../objects.ts'

/**
 * A REPLACE, or a key that is declared ON CONFLICT REPLACE, deletes the rows in its way and fires no trigger for them.
 * A guard finds them beforehand: the rows of the table that share a unique key with the row about to be written.
 */
export interface UniqueGuard {
  /** The index, or undefined for the rowid. */
  index: string | undefined
  /** For the table's rows; `of` writes a column of the new row. */
  condition: (of: (column: string) => string) => string
  /** It finds every row, in a case that hardly ever comes: see `defaultGuard`. */
  isWhole?: true
  /** An UPDATE that sets none of them cannot evict by this key; undefined where that cannot be said. */
  columns: string[] | undefined
}

/** The names under which SQLite takes a rowid, declared columns apart. */
export const rowidNames = ['rowid', '_rowid_', 'oid']

interface IndexTerm {
  cid: number
  name: string | null
  coll: string
}

/** The guards that a table needs to have every evicted row's `key` logged. */
export function uniqueGuards(database: SqliteDatabase, table: SourceTable, key: string[]): UniqueGuard[] {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  const alias = rowidAlias(database, table)
  const indexes = database
    .prepare(
      `SELECT l.name, s.sql FROM pragma_index_list(?) l
         LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name WHERE l."unique" = 1 ORDER BY l.seq DESC`,
    )
    .all(table.name) as { name: string; sql: string | null }[]
  const guards: UniqueGuard[] = []
  if (table.rowid !== undefined && !(alias !== undefined && key.length === 1 && same(alias, key[0] ?? ''))) {
    const { rowid } = table
    guards.push({
      index: undefined,
      condition: (of) => `${rowid} = ${of(rowid)}`,
      columns: [...rowidNames, ...(alias === undefined ? [] : [alias])],
    })
  }
  for (const { name, sql } of indexes) {
    const terms = database
      .prepare('SELECT cid, name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno')
      .all(name) as IndexTerm[]
    const isExact = key.every((column) =>
      terms.some((term) => term.name !== null && same(term.name, column) && hasOneSpelling(table, term)),
    )
    // Whoever is evicted has the key of the new row, which is logged anyway.
    if (!isExact) guards.push(...indexGuards(table, name, terms, sql))
  }
  return guards
}

function indexGuards(
  table: SourceTable,
  index: string,
  terms: IndexTerm[],
  sql: string | null,
): UniqueGuard[] {
  const written = sql === null ? undefined : indexText(sql)
  const plain = (text: string) => withoutQuotedStrings(text, table)
  const expressions = terms.map(({ cid }, at) => (cid === -2 ? plain(written?.terms[at] ?? '') : undefined))
  const where = written?.where === undefined ? undefined : plain(written.where)
  const condition: UniqueGuard['condition'] = (of) =>
    [
      ...terms.map(({ name, coll }, at) => {
        const collate = `COLLATE ${quoteIdentifier(coll)}`
        const expression = expressions[at]
        if (expression === undefined) {
          const column = quoteIdentifier(name ?? '')
          return `${column} ${collate} = ${of(name ?? '')}`
        }
        const inputs = columnsIn(expression, table)
        const row = inputs.map((column) => `${of(column)} AS ${quoteIdentifier(column)}`).join(', ')
        const from = row === '' ? '' : ` FROM (SELECT ${row}) AS ${quoteIdentifier(table.name)}`
        return `(${expression}) ${collate} = (SELECT ${expression}${from})`
      }),
      ...(where === undefined ? [] : [`(${where})`]),
    ].join(' AND ')
  const columns = new Set([
    ...terms.flatMap(({ name }) => (name === null ? [] : [name])),
    ...[...expressions, where].flatMap((text) => (text === undefined ? [] : columnsIn(text, table))),
  ])
  const computed = table.columns.some(({ name, generated }) => generated && columns.has(name))
  const guard = { index, condition, columns: computed ? undefined : [...columns] }
  return [guard, ...defaultGuard(table, guard)]
}

/**
 * A REPLACE that gives NULL to a column that is NOT NULL stores its default, but the triggers before it still see NULL. What
 * it evicts cannot be computed then, so every row counts as changed.
 */
function defaultGuard({ columns }: SourceTable, guard: UniqueGuard): UniqueGuard[] {
  const given = columns.filter(
    ({ name, notNull, defaultSql }) =>
      notNull && defaultSql !== null && (guard.columns === undefined || guard.columns.includes(name)),
  )
  if (given.length === 0) return []
  const condition: UniqueGuard['condition'] = (of) =>
    `(${given.map(({ name }) => `${of(name)} IS NULL`).join(' OR ')})`
  return [{ ...guard, condition, isWhole: true }]
}

/** Columns that an expression names. */
function columnsIn(expression: string, table: SourceTable): string[] {
  const words = new Set(
    sqlTokens(expression)
      .filter(({ kind }) => kind === 'word' || kind === 'name' || kind === 'string')
      .map(({ text }) => text.toLowerCase()),
  )
  return table.columns.filter(({ name }) => words.has(name.toLowerCase())).map(({ name }) => name)
}

/** Text in double quotes that names no column is a string to SQLite in a schema, but not in every trigger. */
function withoutQuotedStrings(expression: string, table: SourceTable): string {
  const known = new Set([table.name, ...table.columns.map(({ name }) => name), ...rowidNames].map(lower))
  let text = ''
  let end = 0
  for (const token of sqlTokens(expression)) {
    if (token.kind !== 'name' || expression[token.start] !== '"' || known.has(lower(token.text))) continue
    text += `${expression.slice(end, token.start)}'${token.text.replaceAll("'", "''")}'`
    end = token.end
  }
  return text + expression.slice(end)
}

const lower = (text: string): string => text.toLowerCase()

/** Whether two values that the index holds for equal are the same value, bit for bit. */
function hasOneSpelling(table: SourceTable, { name, coll }: IndexTerm): boolean {
  const column = table.columns.find((one) => one.name === name)
  if (!column || coll.toUpperCase() !== 'BINARY') return false
  // In a column of INTEGER or NUMERIC affinity -2^63 can be stored as an integer and as a real.
  return ['TEXT', 'REAL'].includes(affinityOf(column)) || (isStrict(table) && isWhole(column))
}

const isWhole = ({ declaredType }: SourceColumn) => /^(int|integer)$/i.test(declaredType)

function isStrict({ sql }: SourceTable): boolean {
  const tokens = sqlTokens(sql)
  const close = tokens.findLastIndex(({ kind, text }) => kind === 'mark' && text === ')')
  return tokens.slice(close + 1).some(({ text }) => /^strict$/i.test(text))
}

/** Source: SQLite's documentation, "Datatypes In SQLite", section 3.1. */
export function affinityOf({ declaredType }: SourceColumn): 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC' {
  if (/int/i.test(declaredType)) return 'INTEGER'
  if (/char|clob|text/i.test(declaredType)) return 'TEXT'
  if (declaredType === '' || /blob|^any$/i.test(declaredType)) return 'BLOB'
  return /real|floa|doub/i.test(declaredType) ? 'REAL' : 'NUMERIC'
}

/** The column that is the rowid: an INTEGER PRIMARY KEY that no index stands for. */
export function rowidAlias(database: SqliteDatabase, table: SourceTable): string | undefined {
  const [column] = table.primaryKey
  if (table.rowid === undefined || column === undefined || table.primaryKey.length > 1) return undefined
  const indexed = database.prepare("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'").get(table.name)
  return indexed === undefined ? column : undefined
}
