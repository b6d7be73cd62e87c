import type { ClientBase } from 'pg'
import { postgresStatements, postgresTokens } from './postgres-statements.ts'
import { lineAt, ScriptError, withoutStatements, type SqlStatement } from './statement.ts'
import { refuseCompany, transactionPairs } from './transaction-control.ts'

/** Source: PostgreSQL's reference pages, "cannot be executed inside a transaction block". */
const alone =
  /^(CREATE (UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX\b.*\b(CONCURRENTLY|DATABASE|SYSTEM)|ALTER TABLE\b.*\bDETACH PARTITION\b.*\bCONCURRENTLY|VACUUM|(CREATE|DROP) DATABASE|ALTER DATABASE\b.*\bSET TABLESPACE|(CREATE|DROP) TABLESPACE|ALTER SYSTEM|CLUSTER$|(CREATE|DROP) SUBSCRIPTION)\b/

/**
 * The script as one simple query, which Postgres runs whole or not at all.
 * @throws ScriptError when it cannot be
 */
export function atomicPostgresScript(sql: string): { sql: string; statements: SqlStatement[] } {
  const all = postgresStatements(sql)
  const pairs = transactionPairs(sql, all)
  const statements = all.filter((one) => !pairs.includes(one))
  refuseCompany(sql, statements, (words) => alone.test(words))
  return { sql: withoutStatements(sql, pairs), statements }
}

const changesRole = /\b(ROLE|SESSION AUTHORIZATION)\b/

/**
 * Runs a script whole or not at all.
 * @param record a statement that is run with it, in the same transaction, where the script has one
 * @throws ScriptError with the line of the script; its cause is what the server said
 */
export async function runPostgresScript(client: ClientBase, script: string, record?: string): Promise<void> {
  const { sql, statements } = atomicPostgresScript(script)
  if (statements.length === 0) return
  const invalid = await invalidIndexes(client)
  let done = 0
  const count = () => done++
  const { connection } = client as unknown as {
    connection: { on(name: string, use: () => void): void; off(name: string, use: () => void): void }
  }
  connection.on('commandComplete', count)
  try {
    const isAlone = statements.some(
      ({ words }) => alone.test(words.join(' ')) || changesRole.test(words.join(' ')),
    )
    await client.query(record === undefined || isAlone ? sql : `${sql}\n;\n${record}`)
  } catch (cause) {
    connection.off('commandComplete', count)
    await dropHalfBuilt(client, sql, statements, invalid)
    const { position, message } = cause as { position?: string; message: string }
    const offset =
      position === undefined ? (statements[done]?.start ?? 0) : offsetOf(sql, Number(position) - 1)
    throw new ScriptError(message, { line: lineAt(sql, offset), cause })
  } finally {
    connection.off('commandComplete', count)
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

async function invalidIndexes(client: ClientBase): Promise<Map<string, string>> {
  const { rows } = await client.query<{ oid: string; name: string }>(
    'SELECT indexrelid AS oid, indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid',
  )
  return new Map(rows.map(({ oid, name }) => [oid, name]))
}

/** What CREATE INDEX CONCURRENTLY leaves behind when it fails: an index by that name which nobody can use. */
async function dropHalfBuilt(
  client: ClientBase,
  sql: string,
  [statement, ...others]: SqlStatement[],
  before: Map<string, string>,
): Promise<void> {
  if (
    !statement ||
    others.length > 0 ||
    !/^CREATE (UNIQUE )?INDEX CONCURRENTLY/.test(statement.words.join(' '))
  )
    return
  const text = sql.slice(statement.start, statement.end)
  const tokens = postgresTokens(text)
  const at = tokens.findIndex(({ start, end }) => text.slice(start, end).toUpperCase() === 'ON')
  const name = tokens[at - 1]
  const wanted = name && text.slice(name.start, name.end).toLowerCase()
  for (const [oid, left] of await invalidIndexes(client)) {
    const last = /[^.]*$/.exec(left)?.[0].toLowerCase()
    if (!before.has(oid) && last === wanted) await client.query(`DROP INDEX CONCURRENTLY ${left}`)
  }
}
