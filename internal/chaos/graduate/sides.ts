import { connectPostgres, openSqlite, type PostgresClient, type SqliteDatabase } from '@outgrow/databases'
import { ddl } from './schema.ts'
import { isServerGone, Moved, numbered, Unknown, type Side, type Sql } from './sql.ts'

/**
 * How an application without the facade uses its file: `immediate` begins writes with BEGIN IMMEDIATE, `deferred` with a
 * plain BEGIN and tries again when it was too late for the lock, `creating` makes its tables at its start where they are
 * missing.
 */
export const rawKinds = ['immediate', 'deferred', 'creating'] as const
export type RawKind = (typeof rawKinds)[number]
/** Or it uses the facade, which follows by itself. */
export type ApplicationKind = RawKind | 'facade'

/** How long a writer waits for the lock, in ms. */
export const busyMs = 15_000

export function sqliteSide(path: string, kind: RawKind): Side {
  const database = openSqlite(path, busyMs)
  if (kind === 'creating') {
    try {
      moved(() => database.exec(ddl))
    } catch (error) {
      database.close()
      throw error
    }
  }
  const prepared = new Map<string, ReturnType<SqliteDatabase['prepare']>>()
  const statement = (text: string) => {
    const known = prepared.get(text) ?? database.prepare(text)
    prepared.set(text, known)
    return known
  }
  const sql: Sql = {
    provider: 'sqlite',
    run: async (text, values = []) => moved(() => statement(text).run(...values).changes),
    get: async (text, values = []) =>
      moved(() => statement(text).get(...values) as Record<string, unknown> | undefined),
  }
  return {
    provider: 'sqlite',
    transaction: async (work, mode) => {
      for (;;) {
        database.exec(mode === 'read' || kind === 'deferred' ? 'BEGIN' : 'BEGIN IMMEDIATE')
        try {
          const result = await work(sql)
          database.exec('COMMIT')
          return result
        } catch (error) {
          if (database.inTransaction) database.exec('ROLLBACK')
          if (!isBusy(error) || kind !== 'deferred') throw error
        }
      }
    },
    limit: (isFull) => {
      const pages = isFull ? (database.pragma('page_count', { simple: true }) as number) : 0x3fff_fffe
      database.pragma(`max_page_count = ${pages}`)
    },
    close: async () => {
      database.close()
    },
  }
}

function isBusy(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')
}

function moved<Result>(act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    // Who makes an index at its start is told that its table is a view.
    if (error instanceof Error && /_outgrow_moved|views may not be indexed/.test(error.message))
      throw new Moved(error.message, { cause: error })
    throw error
  }
}

export async function postgresSide(url: string): Promise<Side> {
  const client = await connectPostgres(url)
  const sql: Sql = {
    provider: 'postgres',
    run: async (text, values) => (await query(client, text, values)).rowCount ?? 0,
    get: async (text, values) => (await query(client, text, values)).rows[0],
  }
  return {
    provider: 'postgres',
    transaction: async (work, mode) => {
      await query(client, mode === 'read' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY' : 'BEGIN')
      let result: Awaited<ReturnType<typeof work>>
      try {
        result = await work(sql)
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
        throw error
      }
      try {
        await client.query('COMMIT')
      } catch (error) {
        throw new Unknown(String(error), { cause: error })
      }
      return result
    },
    limit: () => {},
    close: () => client.end().catch(() => {}),
  }
}

async function query(client: PostgresClient, text: string, values: unknown[] = []) {
  try {
    return await client.query<Record<string, unknown>>(numbered(text), values)
  } catch (error) {
    if ((error as { code?: string }).code === '42P01') throw new Moved(String(error), { cause: error })
    if (isServerGone(String(error))) throw new Unknown(String(error), { cause: error })
    throw error
  }
}
