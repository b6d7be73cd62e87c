import type { ClientBase } from 'pg'
import { postgresStatements, postgresTokens } from './postgres-statements.ts'
import { lineAt, ScriptError, withoutStatements, type SqlStatement } from './statement.ts'
import { assertStandsAlone, transactionPairs } from './transaction-control.ts'

/** Source: PostgreSQL's reference pages, "cannot be executed inside a transaction block". */
const alone =
  /^(CREATE (UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX\b.*\b(CONCURRENTLY|DATABASE|SYSTEM)|ALTER TABLE\b.*\bDETACH PARTITION\b.*\bCONCURRENTLY|VACUUM|(CREATE|DROP) DATABASE|ALTER DATABASE\b.*\bSET TABLESPACE|(CREATE|DROP) TABLESPACE|ALTER SYSTEM|CLUSTER$|(CREATE|DROP) SUBSCRIPTION)\b/

/**
 * The script without transaction control of its own, as it runs in one transaction, or alone.
 * @throws ScriptError when it cannot be
 */
export function atomicPostgresScript(sql: string): { sql: string; statements: SqlStatement[] } {
  const all = postgresStatements(sql)
  const pairs = transactionPairs(sql, all)
  const statements = all.filter((one) => !pairs.includes(one))
  assertStandsAlone(sql, statements, (words) => alone.test(words))
  return { sql: withoutStatements(sql, pairs), statements }
}

/**
 * Runs a script whole or not at all: in a transaction of its own, unless it is one statement that cannot be in any.
 * @param record a statement that is run with it, in the same transaction, where the script has one
 * @throws ScriptError with the line of the script; its cause is what the server said
 */
export async function runPostgresScript(client: ClientBase, script: string, record?: string): Promise<void> {
  // A byte order mark is no SQL.
  const { sql, statements } = atomicPostgresScript(script.replace(/^\uFEFF/, ' '))
  const [first] = statements
  if (!first) return
  if (alone.test(first.words.join(' '))) return runAlone(client, sql, first)
  await client.query('BEGIN')
  try {
    await runCounted(client, sql, statements)
    if (record !== undefined) await client.query(`RESET ROLE; ${record}`)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // where the connection is lost, the server has taken it back
    throw error instanceof ScriptError ? error : scriptError(sql, statements.at(-1) ?? first, error)
  }
}

/** Counts what is done, to say which statement failed where the server does not. */
async function runCounted(client: ClientBase, sql: string, statements: SqlStatement[]): Promise<void> {
  let done = 0
  const count = () => done++
  const { connection } = client as unknown as {
    connection: { on(name: string, use: () => void): void; off(name: string, use: () => void): void }
  }
  connection.on('commandComplete', count)
  try {
    await client.query(sql)
  } catch (cause) {
    throw scriptError(sql, statements[done] ?? (statements.at(-1) as SqlStatement), cause)
  } finally {
    connection.off('commandComplete', count)
  }
}

function scriptError(sql: string, statement: SqlStatement, cause: unknown): ScriptError {
  const { position, message } = cause as { position?: string; message: string }
  const offset = position === undefined ? statement.start : offsetOf(sql, Number(position) - 1)
  return new ScriptError(message, { line: lineAt(sql, offset), cause })
}

async function runAlone(client: ClientBase, sql: string, statement: SqlStatement): Promise<void> {
  const { table } = indexedBy(sql.slice(statement.start, statement.end))
  const before = await invalidIndexes(client, table)
  try {
    await client.query(sql)
  } catch (cause) {
    if (/^CREATE (UNIQUE )?INDEX CONCURRENTLY/.test(statement.words.join(' '))) {
      await dropInvalidIndexes(client, sql.slice(statement.start, statement.end), before)
    }
    throw scriptError(sql, statement, cause)
  }
}

/** The server counts characters, JavaScript UTF-16 units. */
function offsetOf(sql: string, characters: number): number {
  let offset = 0
  for (let left = characters; left > 0 && offset < sql.length; left--) {
    offset += (sql.codePointAt(offset) as number) > 0xffff ? 2 : 1
  }
  return offset
}

interface InvalidIndex {
  oid: string
  name: string
  quoted: string
  /** Whether it is an index of the statement's table. */
  isOnTable: boolean
}

async function invalidIndexes(client: ClientBase, table: string): Promise<InvalidIndex[]> {
  const { rows } = await client.query<InvalidIndex>(
    `SELECT i.indexrelid AS oid, c.relname AS name, format('%I.%I', (SELECT nspname FROM pg_namespace WHERE oid = c.relnamespace), c.relname) AS quoted,
            coalesce(i.indrelid = to_regclass($1), false) AS "isOnTable"
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid`,
    [table],
  )
  return rows
}

/** What stands before and behind ON: an index's name, empty where it has none, and its table as it is written. */
function indexedBy(statement: string): { name: string; table: string } {
  const tokens = postgresTokens(statement).map(({ start, end }) => statement.slice(start, end))
  const on = tokens.findIndex((text) => /^on$/i.test(text))
  const written = tokens[on - 1] ?? ''
  const name = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written.toLowerCase()
  const rest = tokens.slice(/^only$/i.test(tokens[on + 1] ?? '') ? on + 2 : on + 1)
  const table = rest[1] === '.' ? rest.slice(0, 3).join('') : (rest[0] ?? '')
  return { name: name === 'concurrently' ? '' : name, table }
}

/** What CREATE INDEX CONCURRENTLY leaves behind when it fails: an index which nobody can use, and which holds its name. */
async function dropInvalidIndexes(
  client: ClientBase,
  statement: string,
  before: InvalidIndex[],
): Promise<void> {
  const { name, table } = indexedBy(statement)
  for (const index of await invalidIndexes(client, table)) {
    if (before.some(({ oid }) => oid === index.oid)) continue
    // Another session may be building one of its own.
    if (index.isOnTable && (name === '' || index.name === name)) {
      await client.query(`DROP INDEX CONCURRENTLY ${index.quoted}`)
    }
  }
}
