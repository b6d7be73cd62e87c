import { asidePrefix, quoteIdentifier, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'
import { findingOf, type Finding } from '../../../model/finding.ts'
import { nameKey } from './aside-sql.ts'
import { reservedPrefix } from './captured-table.ts'
import { rowidAlias, uniqueGuards } from './unique-guards.ts'

/**
 * For the caller to say, since no file shows it: which process has the file open with which SQLite.
 * Source: SQLite's documentation, "Write-Ahead Logging", the WAL-reset bug.
 */
export const walResetBug =
  'SQLite 3.7.0 to 3.51.2 can damage a file in WAL mode when two connections write or checkpoint at the same moment (the WAL-reset bug). A graduation writes to the file and never checkpoints it; update the SQLite of your application to 3.51.3 or later first.'

/**
 * The columns that tell a table's rows apart: its primary key, else the shortest unique key that cannot be NULL, else one that
 * could but never is. Undefined where there is none. A row with NULL in it that is written later stops the graduation.
 */
export function captureKey(database: SqliteDatabase, table: SourceTable): string[] | undefined {
  const { columns, primaryKey, uniqueKeys } = table
  const strict = (key: string[]) =>
    key.every((name) => columns.find((column) => column.name === name)?.notNull === true)
  const shortest = uniqueKeys.toSorted((a, b) => a.length - b.length)
  const candidates = [
    ...(primaryKey.length > 0 ? [primaryKey] : []),
    ...shortest.filter(strict),
    ...shortest.filter((key) => !strict(key)),
  ]
  return candidates.find((key) => strict(key) || !hasNull(database, table, key))
}

function hasNull(database: SqliteDatabase, table: SourceTable, key: string[]): boolean {
  const [first, ...more] = key
  if (more.length === 0 && first === rowidAlias(database, table)) return false
  const isNull = key.map((column) => `${quoteIdentifier(column)} IS NULL`).join(' OR ')
  return (
    database.prepare(`SELECT 1 FROM main.${quoteIdentifier(table.name)} WHERE ${isNull} LIMIT 1`).get() !==
    undefined
  )
}

/**
 * What cannot be captured, and why: of the file, and of those of its tables that are to be.
 * @param tables as `readSourceTables` reads them
 */
export function captureProblems(tables: SourceTable[], database: SqliteDatabase): Finding[] {
  return [
    ...journalProblem(database),
    ...nameProblems(database),
    ...replicationProblems(database),
    ...tables.flatMap((table) => tableProblems(database, table)),
  ]
}

function journalProblem(database: SqliteDatabase): Finding[] {
  const mode = database.pragma('main.journal_mode', { simple: true }) as string
  if (mode === 'wal') return []
  return [
    findingOf({
      code: 'OUTGROW_LIVE_JOURNAL_MODE',
      table: null,
      reason: `The file is in journal mode ${mode}: whoever reads it blocks the application's writes.`,
      fixes: ['PRAGMA journal_mode = WAL, once, while nothing else has the file open'],
    }),
  ]
}

function nameProblems(database: SqliteDatabase): Finding[] {
  const rows = database
    .prepare('SELECT type, name, tbl_name AS tableName FROM main.sqlite_schema ORDER BY rowid')
    .all() as { type: string; name: string; tableName: string }[]
  const taken = rows.filter(({ name }) =>
    [reservedPrefix, asidePrefix].some((prefix) => nameKey(name).startsWith(prefix)),
  )
  return taken.map(({ type, name, tableName }) =>
    findingOf({
      code: 'OUTGROW_LIVE_NAME_TAKEN',
      table: tableName,
      excerpt: name,
      reason: `The ${type} ${name} has a name that a live graduation uses.`,
      fixes: [`Rename it, or cancel the graduation that made it`],
    }),
  )
}

/** Tools that follow or replay changes with tables or triggers of their own. */
const replication: [RegExp, string][] = [
  [/^crsql_|__crsql_/, 'cr-sqlite'],
  [/^sym_(node|data|trigger|channel|router)$/, 'SymmetricDS'],
  [/^_?libsql_/, 'libSQL'],
  [/^turso_(cdc|sync)/, 'Turso'],
  [/^_cf_/, 'Cloudflare'],
  [/^ps_(crud|buckets|oplog)$/, 'PowerSync'],
  [/^_electric_/, 'ElectricSQL'],
  [/^__marmot_/, 'Marmot'],
  [/^cloudsync_/, 'SQLite Sync'],
]

function replicationProblems(database: SqliteDatabase): Finding[] {
  const names = database
    .prepare('SELECT name FROM main.sqlite_schema ORDER BY rowid')
    .pluck()
    .all() as string[]
  return replication.flatMap(([pattern, tool]) => {
    const name = names.find((one) => pattern.test(nameKey(one)))
    if (name === undefined) return []
    return [
      findingOf({
        code: 'OUTGROW_LIVE_REPLICATED',
        table: name,
        reason: `${tool} keeps ${name} in this file: it would replicate what a graduation writes, or change rows past its triggers.`,
        fixes: [`Take ${tool} out of the file first, or move it offline`],
      }),
    ]
  })
}

function tableProblems(database: SqliteDatabase, table: SourceTable): Finding[] {
  const { name, virtual } = table
  if (virtual) {
    return [
      findingOf({
        code: 'OUTGROW_LIVE_VIRTUAL_TABLE',
        table: name,
        reason: `It is a virtual table (${virtual.module}): SQLite allows no triggers on it, so its changes cannot be followed.`,
        fixes: [`--skip-table ${name}, or move it offline`],
      }),
    ]
  }
  const key = captureKey(database, table)
  return key ? guardProblems(database, table, key) : [keyProblem(database, table)]
}

function keyProblem(database: SqliteDatabase, table: SourceTable): Finding {
  const { name, primaryKey, uniqueKeys } = table
  const [nullable] = [primaryKey, ...uniqueKeys].filter((key) => key.length > 0)
  if (nullable === undefined) {
    return findingOf({
      code: 'OUTGROW_LIVE_NO_KEY',
      table: name,
      reason: 'It has neither a primary key nor a unique one, so its changes cannot be followed.',
      fixes: ['add a primary key, or a unique index over columns that are never NULL', 'move it offline'],
    })
  }
  const isNull = nullable.map((column) => `${quoteIdentifier(column)} IS NULL`).join(' OR ')
  const count = database
    .prepare(`SELECT count(*) FROM main.${quoteIdentifier(name)} WHERE ${isNull}`)
    .pluck()
    .get() as number
  return findingOf({
    code: 'OUTGROW_LIVE_KEY_NULL',
    table: name,
    column: nullable[0] ?? null,
    count,
    reason: `Rows have NULL in the key (${nullable.join(', ')}), which tells them from no other.`,
    fixes: ['Give these rows a key, or delete them'],
  })
}

/** Each guard runs before a row is written: it must be possible here, and find its rows by the index. */
function guardProblems(database: SqliteDatabase, table: SourceTable, key: string[]): Finding[] {
  return uniqueGuards(database, table, key).flatMap(({ index, condition, isWhole }) => {
    const row = condition(() => '@row')
    const found = (reason: string) => [
      findingOf({
        code: 'OUTGROW_LIVE_UNIQUE_INDEX',
        table: table.name,
        excerpt: index ?? null,
        reason,
        fixes: ['Drop the index for the time of the graduation, or move it offline'],
      }),
    ]
    try {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN SELECT 1 FROM main.${quoteIdentifier(table.name)} WHERE ${row}`)
        .all({ row: null }) as { parent: number; detail: string }[]
      // What is below computes the new row's terms.
      return !isWhole && plan.some(({ parent, detail }) => parent === 0 && detail.startsWith('SCAN'))
        ? found(
            `Rows that ${index} keeps unique cannot be looked up by it, so each write would read the whole table.`,
          )
        : []
    } catch (error) {
      return found(`The unique index ${index} cannot be used by this SQLite: ${messageOf(error)}.`)
    }
  })
}
