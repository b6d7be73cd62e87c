import { openSqliteReadonly, quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import type { Choices } from '@outgrow/testing'

const names = [
  'posts',
  'Order',
  'select',
  'with space',
  'quo"te',
  "apo'strophe",
  'ünïcode 😀',
  'semi;colon',
  '%s',
  '1st',
  'back\\slash',
  '[x]',
  'new\nline',
  '-- no',
]
const types = [
  '',
  'INTEGER',
  'INT',
  'TEXT',
  'BLOB',
  'REAL',
  'NUMERIC',
  'DATETIME',
  'VARCHAR(10)',
  'BOOLEAN',
  'JSON',
  'DOUBLE PRECISION',
]

/** SQL of a value of any storage class, the ones that other programs have trouble with among them. */
function value(choices: Choices): string {
  return choices.of([
    () => 'NULL',
    () => String(choices.whole(100) - 50),
    () => choices.of(['9223372036854775807', '-9223372036854775808', '9007199254740993', '4294967296', '0']),
    () => String(choices.next() * 1e6),
    () => choices.of(['-0.0', '9e999', '-9e999', '1e-320', '0.1', '123456789012345678.0', '9e999 - 9e999']),
    () => `'text ${choices.whole(1000)}'`,
    () =>
      choices.of([
        "''",
        "'naïve 😀 𝒳'",
        "'a' || char(0) || 'b'",
        'char(0)',
        "'1'",
        "'0x10'",
        "' 12 '",
        "'1e5'",
        "'NaN'",
      ]),
    // Not valid in the encoding of the database.
    () =>
      choices.of([
        "CAST(x'ff00fe' AS TEXT)",
        "CAST(x'c3' AS TEXT)",
        "CAST(x'edb080' AS TEXT)",
        "CAST(x'00' AS TEXT)",
      ]),
    () => `CAST(randomblob(${choices.whole(20)}) AS TEXT)`,
    () => `randomblob(${choices.whole(40)})`,
    () => choices.of(["x''", 'zeroblob(3)', "x'00ff00'", `randomblob(${5000 + choices.whole(9000)})`]),
    () => `'${'long text '.repeat(choices.whole(900))}'`,
  ])()
}

/** A table that the random ones consist of. */
function createTable(choices: Choices, name: string): { sql: string; columns: string[] } {
  const count = 1 + choices.whole(5)
  const columns = Array.from({ length: count }, (_, at) => `${choices.of(names)} ${at}`)
  const key = choices.of(['none', 'rowid', 'autoincrement', 'any', 'without'] as const)
  const isStrict = choices.often(0.2)
  const typeOf = () => (isStrict ? choices.of(['INTEGER', 'TEXT', 'BLOB', 'REAL', 'ANY']) : choices.of(types))
  const definitions = columns.map(
    (column) => `${quoteIdentifier(column)} ${typeOf()}${choices.often(0.2) ? ` DEFAULT ('d')` : ''}`,
  )
  if (key === 'rowid') definitions.unshift('"id" INTEGER PRIMARY KEY')
  if (key === 'autoincrement') definitions.unshift('"id" INTEGER PRIMARY KEY AUTOINCREMENT')
  if (key === 'any') definitions.unshift(`"id" ${isStrict ? 'ANY' : ''} PRIMARY KEY`)
  if (key === 'without') definitions.unshift(`"id" ${isStrict ? 'BLOB' : ''} NOT NULL PRIMARY KEY`)
  const first = quoteIdentifier(columns[0] as string)
  if (choices.often(0.3))
    definitions.push(`"virtual" ${isStrict ? 'TEXT ' : ''}AS (typeof(${first})) VIRTUAL`)
  if (choices.often(0.3)) definitions.push(`"stored" ${isStrict ? 'INT ' : ''}AS (length(${first})) STORED`)
  // Columns that take the rowid's names away.
  if (choices.often(0.1) && key !== 'without')
    for (const taken of ['rowid', '_rowid_', 'oid'].slice(0, 1 + choices.whole(3)))
      definitions.push(`"${taken}" ${isStrict ? 'ANY' : ''} DEFAULT 7`)
  const ordered = [
    ...definitions.filter((one) => !/ AS \(/.test(one)),
    ...definitions.filter((one) => / AS \(/.test(one)),
  ]
  const ends = [...(key === 'without' ? ['WITHOUT ROWID'] : []), ...(isStrict ? ['STRICT'] : [])]
  const sql = `CREATE TABLE ${quoteIdentifier(name)} (${ordered.join(', ')}) ${ends.join(', ')}`
  return { sql, columns: [...(['any', 'without'].includes(key) ? ['id'] : []), ...columns] }
}

/** Fills an empty database with what SQLite allows; statements that this SQLite refuses are left out. */
export function fillRandomly(database: SqliteDatabase, choices: Choices): void {
  const attempt = (sql: string) => {
    try {
      database.exec(sql)
    } catch (error) {
      if (!/constraint|datatype mismatch|cannot store|malformed/i.test(String(error))) throw error
    }
  }
  if (choices.often(0.25)) database.pragma(`encoding = '${choices.of(['UTF-16le', 'UTF-16be'])}'`)
  database.pragma(`page_size = ${choices.of([512, 1024, 4096, 16_384])}`)
  database.pragma(`auto_vacuum = ${choices.whole(3)}`)
  database.pragma(`journal_mode = ${choices.of(['WAL', 'WAL', 'DELETE'])}`)
  database.pragma(`user_version = ${choices.whole(1000)}`)
  for (let at = 0; at < 1 + choices.whole(4); at++) {
    const name = `${choices.of(names)} ${at}`
    const { sql, columns } = createTable(choices, name)
    database.exec(sql)
    const [table, first] = [quoteIdentifier(name), quoteIdentifier(columns.at(-1) as string)]
    if (choices.often(0.5))
      database.exec(`CREATE INDEX ${quoteIdentifier(`i ${name}`)} ON ${table} (${first} DESC)`)
    if (choices.often(0.3))
      database.exec(`CREATE INDEX ${quoteIdentifier(`p ${name}`)} ON ${table} (${first}) WHERE ${first} > 3`)
    if (choices.often(0.3))
      database.exec(`CREATE INDEX ${quoteIdentifier(`e ${name}`)} ON ${table} (lower(${first}))`)
    if (choices.often(0.3))
      database.exec(`CREATE VIEW ${quoteIdentifier(`v ${name}`)} AS SELECT count(*) AS n FROM ${table}`)
    const rows = choices.of([0, 1, 5, 60])
    for (let row = 0; row < rows; row++)
      attempt(
        `INSERT INTO ${table} (${columns.map(quoteIdentifier).join(', ')}) VALUES (${columns.map(() => value(choices)).join(', ')})`,
      )
    if (choices.often(0.3)) attempt(`DELETE FROM ${table} WHERE abs(random()) % 3 = 0`)
    if (choices.often(0.3))
      database.exec(
        `CREATE TRIGGER ${quoteIdentifier(`t ${name}`)} AFTER INSERT ON ${table} BEGIN SELECT 1; END`,
      )
  }
  if (choices.often(0.5)) {
    database.exec(
      `CREATE VIRTUAL TABLE "search ""it" USING fts5(title, body${choices.of(['', ", content=''", ', tokenize=porter'])})`,
    )
    for (let at = 0; at < 20; at++)
      database.exec(
        `INSERT INTO "search ""it" (rowid, title, body) VALUES (${at + 1}, 't ${at}', ${value(choices)})`,
      )
  }
  if (choices.often(0.5)) {
    database.exec('CREATE VIRTUAL TABLE places USING rtree(id, x0, x1, +note)')
    for (let at = 0; at < 20; at++)
      database.exec(
        `INSERT INTO places VALUES (${at}, ${choices.whole(100)}, ${100 + choices.whole(100)}, ${value(choices)})`,
      )
  }
  if (choices.often(0.3)) database.exec('ANALYZE')
}

/** All that a file holds, as SQL of its own tells it: every row with its types and bytes, sorted. */
export function contentsOf(path: string, ignored: RegExp = /^$/): Record<string, string[]> {
  const database = openSqliteReadonly(path)
  try {
    const contents: Record<string, string[]> = {
      schema: database
        .prepare('SELECT type || name || tbl_name || ifnull(sql, 0) FROM sqlite_schema ORDER BY type, name')
        .pluck()
        .all() as string[],
      pragmas: ['user_version', 'application_id', 'encoding', 'page_size', 'auto_vacuum'].map(
        (name) => `${name} ${String(database.pragma(name, { simple: true }))}`,
      ),
    }
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .pluck()
      .all() as string[]
    for (const table of tables.filter((name) => !ignored.test(name))) {
      const columns = database
        .prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
        .pluck()
        .all(table) as string[]
      const told = columns.map((name) => {
        const column = `t.${quoteIdentifier(name)}`
        return `typeof(${column}) || ':' || CASE typeof(${column}) WHEN 'text' THEN hex(CAST(${column} AS BLOB)) ELSE quote(${column}) END`
      })
      contents[table] = (
        database
          .prepare(`SELECT ${told.join(" || '|' || ") || "''"} FROM ${quoteIdentifier(table)} t`)
          .pluck()
          .all() as string[]
      ).toSorted()
    }
    return contents
  } finally {
    database.close()
  }
}
