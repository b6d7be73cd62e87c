import { messageOf } from '@outgrow/kit'
import { quoteIdentifier } from '../quote.ts'
import { sqlTokens, type SqlToken } from '../sqlite-ddl.ts'
import type { SqliteDatabase } from '../sqlite.ts'
import { sqliteStatements } from './sqlite-statements.ts'
import { lineAt, ScriptError, type SqlStatement } from './statement.ts'
import { assertStandsAlone, transactionPairs } from './transaction-control.ts'

/** Source: sqlite.org, "VACUUM", "ATTACH", and the pragmas that do nothing, or fail, inside a transaction. */
const alone =
  /^(VACUUM|ATTACH|DETACH|PRAGMA( MAIN)? (JOURNAL_MODE|SYNCHRONOUS|PAGE_SIZE|AUTO_VACUUM|WAL_CHECKPOINT|LOCKING_MODE))\b/
const touchesRows = /^(WITH|INSERT|REPLACE|UPDATE|DELETE|DROP TABLE)\b/

/** What was done otherwise than the script says, in words. */
export interface ScriptNote {
  /** 1-based. */
  line: number
  text: string
}

/**
 * The statements of a script that can run in one transaction.
 * @throws ScriptError when they cannot
 */
export function atomicSqliteScript(sql: string): SqlStatement[] {
  const all = sqliteStatements(sql)
  const pairs = transactionPairs(sql, all)
  const statements = all.filter((one) => !pairs.includes(one))
  assertStandsAlone(sql, statements, (words) => alone.test(words))
  return statements
}

/**
 * Runs a script whole or not at all, on a connection that is in no transaction.
 * SQLite cannot turn foreign keys on or off inside a transaction. A script that does so runs with them off as a whole;
 * where they were to be on, it must not leave a reference without its row, else it is undone.
 * @param record a statement that is run with it, in the same transaction, where the script has one
 * @throws ScriptError with the line of the script
 */
export function runSqliteScript(database: SqliteDatabase, sql: string, record?: string): ScriptNote[] {
  const statements = atomicSqliteScript(sql)
  const notes: ScriptNote[] = []
  const [first] = statements
  if (!first) return notes
  if (statements.length === 1 && alone.test(first.words.join(' '))) {
    runStatement(database, sql, first, notes)
    return notes
  }
  const wereOn = database.pragma('foreign_keys', { simple: true }) as number
  const parts = sections(sql, statements)
  const toggles = parts.length > 1
  if (toggles) database.pragma('foreign_keys = OFF')
  try {
    database.exec('BEGIN IMMEDIATE')
    for (const section of parts) {
      const watched =
        toggles && section.on && section.statements.some(({ words }) => touchesRows.test(words.join(' ')))
      const before = watched ? violations(database) : new Set<string>()
      for (const statement of section.statements) runStatement(database, sql, statement, notes)
      const torn = watched ? [...violations(database)].find((one) => !before.has(one)) : undefined
      if (torn !== undefined) throw danglingReference(sql, section.statements, torn)
    }
    if (record !== undefined) database.exec(record)
    database.exec('COMMIT')
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    if (error instanceof ScriptError) throw error
    throw new ScriptError(messageOf(error), {
      line: lineAt(sql, (statements.at(-1) ?? first).start),
      cause: error,
    })
  } finally {
    database.pragma(`foreign_keys = ${wereOn}`)
  }
  return notes
}

/** `PRAGMA foreign_keys = ON`, however it is quoted: whether they are to be on. */
function toggled(sql: string, { start, end, words }: SqlStatement): boolean | undefined {
  if (words[0] !== 'PRAGMA') return undefined
  const [, ...rest] = sqlTokens(sql.slice(start, end)).map(({ text }) => text.toLowerCase())
  const [name, mark, value] = rest[1] === '.' ? rest.slice(2) : rest
  if (name !== 'foreign_keys' || value === undefined || (mark !== '=' && mark !== '(')) return undefined
  return /^(on|true|yes|1)$/.test(value)
}

/** The statements between the pragmas, with what foreign keys were meant to be there. */
function sections(sql: string, statements: SqlStatement[]): { on: boolean; statements: SqlStatement[] }[] {
  const found: { on: boolean; statements: SqlStatement[] }[] = [{ on: true, statements: [] }]
  for (const statement of statements) {
    const value = toggled(sql, statement)
    if (value === undefined) found.at(-1)?.statements.push(statement)
    else found.push({ on: value, statements: [] })
  }
  return found
}

/** Rows whose reference leads nowhere, one line each. */
function violations(database: SqliteDatabase): Set<string> {
  const lines = new Set<string>()
  for (const row of database.prepare('PRAGMA foreign_key_check').iterate()) {
    const { table, rowid, parent } = row as { table: string; rowid: number | null; parent: string }
    const text = `a row of ${table} that references a missing row of ${parent}`
    lines.add(rowid === null ? `${text} (${lines.size})` : `${text}, rowid ${rowid}`)
  }
  return lines
}

function danglingReference(sql: string, statements: SqlStatement[], torn: string): ScriptError {
  const [first] = statements.filter(({ words }) => touchesRows.test(words.join(' ')))
  return new ScriptError(`FOREIGN KEY constraint failed: it would leave ${torn}.`, {
    line: lineAt(sql, first?.start ?? 0),
    fix: 'If you need ON DELETE or ON UPDATE actions (CASCADE, SET NULL), put these statements in a separate migration: this one turns foreign keys off and on, which SQLite cannot do inside a transaction.',
  })
}

function runStatement(
  database: SqliteDatabase,
  sql: string,
  statement: SqlStatement,
  notes: ScriptNote[],
): void {
  const line = () => lineAt(sql, statement.start)
  const kind = /^CREATE (?:TEMP |TEMPORARY )?(VIEW|TRIGGER)\b/.exec(statement.words.join(' '))?.[1]
  const compile = kind === undefined ? compiled : compiledBody(kind.toLowerCase())
  try {
    const { text, literals } = withQuotedTexts(sql.slice(statement.start, statement.end), (candidate) =>
      compile(database, candidate),
    )
    database.exec(text)
    for (const literal of literals) {
      notes.push({
        line: line(),
        text: `"${literal}" is not a column: it is read as the string '${literal}', as sqlite3 does.`,
      })
    }
  } catch (cause) {
    throw new ScriptError(messageOf(cause), { line: line(), cause })
  }
}

/** What SQLite says against a statement; undefined when it can be run. */
type Compile = (database: SqliteDatabase, statement: string) => string | undefined

const compiled: Compile = (database, statement) => {
  try {
    database.prepare(statement)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** SQLite looks into a view and a trigger only when they are used: they are made, used by a statement that never runs, and undone. */
function compiledBody(type: string): Compile {
  return (database, statement) => {
    database.exec('SAVEPOINT outgrow_body')
    try {
      database.exec(statement)
      const made = database
        .prepare(
          'SELECT name, tbl_name AS "on" FROM sqlite_schema WHERE type = ? ORDER BY rowid DESC LIMIT 1',
        )
        .get(type) as { name: string; on: string } | undefined
      if (!made) return undefined
      const uses =
        type === 'view' ? [`SELECT * FROM ${quoteIdentifier(made.name)}`] : changesOf(database, made.on)
      return uses
        .map((use) => compiled(database, use))
        .find((said) => said !== undefined && doubtful.test(said))
    } catch (error) {
      return messageOf(error)
    } finally {
      database.exec('ROLLBACK TO outgrow_body; RELEASE outgrow_body')
    }
  }
}

/** One statement of each kind, so that every trigger of the table is compiled. */
function changesOf(database: SqliteDatabase, table: string): string[] {
  const name = quoteIdentifier(table)
  const columns = database.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[]
  const sets = columns.map((column) => `${quoteIdentifier(column)} = ${quoteIdentifier(column)}`)
  return [
    `INSERT INTO ${name} DEFAULT VALUES`,
    `UPDATE ${name} SET ${sets.join(', ')}`,
    `DELETE FROM ${name}`,
  ]
}

const doubtful = /^no such column: "(.*)" - should this be a string literal in single-quotes\?$/s

/**
 * The statement as the driver takes it: SQLite's shell takes "x" for a text where no column has that name, the driver does
 * not. Which of several "x" are meant is found by compiling.
 */
function withQuotedTexts(
  statement: string,
  compile: (statement: string) => string | undefined,
): { text: string; literals: string[] } {
  const doubt = (text: string) => doubtful.exec(compile(text) ?? '')?.[1]
  const literals: string[] = []
  let text = statement
  for (let literal = doubt(text); literal !== undefined; literal = doubt(text)) {
    const isMeant = (one: SqlToken) => one.kind === 'name' && one.text === literal && text[one.start] === '"'
    const places = sqlTokens(text).filter(isMeant)
    let replaced = places
    for (const place of places) {
      const fewer = replaced.filter((one) => one !== place)
      if (doubt(withTexts(text, fewer)) !== literal) replaced = fewer
    }
    if (replaced.length === 0) break
    text = withTexts(text, replaced)
    literals.push(literal)
  }
  return { text, literals }
}

function withTexts(text: string, places: SqlToken[]): string {
  let result = text
  for (const place of places.toReversed()) {
    result = `${result.slice(0, place.start)}'${place.text.replaceAll("'", "''")}'${result.slice(place.end)}`
  }
  return result
}
