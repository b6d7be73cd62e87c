import { randomBytes } from 'node:crypto'
import { renameSync, rmSync } from 'node:fs'
import {
  asidePrefix,
  authorityDdl,
  authorityLock,
  connectPostgres,
  listProcesses,
  movedTable,
  openSqlite,
  readAuthority,
  readTargetIdentity,
  parsePostgresUrl,
  writeAuthority,
  withPostgres,
  type ApplicationProcess,
  type Authority,
  type PostgresClient,
  type SqliteDatabase,
} from '@outgrow/databases'
import { makeSampleDatabase } from './schema-database.ts'
import { until } from './until.ts'

/** What a live graduation of the sample does to a file and its target, by plain SQL: each switch in one transaction. */
export class LiveGraduation {
  readonly path: string
  readonly url: string
  readonly postgresUrl: string
  /** The operator's, past any pooler. */
  readonly #directUrl: string
  readonly #drops: (() => Promise<void>)[]

  private constructor(path: string, postgresUrl: string, directUrl: string, drops: (() => Promise<void>)[]) {
    this.path = path
    this.url = `file:${path}`
    this.postgresUrl = postgresUrl
    this.#directUrl = directUrl
    this.#drops = drops
  }

  /** A file and a target with the sample's tables. */
  static async make(serverUrl: string): Promise<LiveGraduation> {
    const file = await makeSampleDatabase('sqlite', serverUrl)
    const target = await makeSampleDatabase('postgres', serverUrl)
    const direct = new URL(serverUrl)
    direct.pathname = new URL(target.directUrl).pathname
    return new LiveGraduation(file.url.slice('file:'.length), target.url, direct.href, [
      file.drop,
      target.drop,
    ])
  }

  /** The application is asked to register: nothing has moved. */
  async begin(target: Partial<Authority['target']> = {}): Promise<void> {
    const identity = await readTargetIdentity(parsePostgresUrl(this.postgresUrl))
    await this.#inFile((file) => {
      for (const statement of authorityDdl) file.exec(statement)
      const graduation = randomBytes(4).toString('hex')
      writeAuthority(file, {
        side: 'sqlite',
        epoch: 1,
        state: 'following',
        target: { ...identity, ...target },
        graduation,
      })
    })
  }

  /** SQLite to Postgres. Returns for how many milliseconds the write lock was held. */
  async forward(): Promise<number> {
    return await this.#inFile(async (file) => {
      const tables = applicationTables(file)
      await this.#onTarget(async (target) => {
        // Tables are loaded in any order.
        await target.query("SET LOCAL session_replication_role = 'replica'")
        await target.query(`TRUNCATE ${tables.map((table) => `"${table}"`).join(', ')}`)
        for (const table of tables) await load(target, table, file.prepare(`SELECT * FROM "${table}"`).all())
      })
      for (const table of tables) file.exec(`ALTER TABLE "${table}" RENAME TO "${asidePrefix}${table}"`)
      for (const table of tables) file.exec(`CREATE VIEW "${table}" AS SELECT * FROM main.${movedTable}`)
      flip(file, 'postgres', 'switched')
    })
  }

  /** Postgres to SQLite. `between` runs after the commit on Postgres and before the one in the file. */
  async back(between: () => Promise<void> = async () => {}): Promise<number> {
    return await this.#inFile(async (file) => {
      const rows = new Map<string, Row[]>()
      await this.#onTarget(async (target) => {
        await target.query(`SELECT pg_advisory_xact_lock(${authorityLock.join(', ')})`)
        const frozen = `frozen_${randomBytes(4).toString('hex')}`
        await target.query(`CREATE SCHEMA ${frozen}`)
        const { rows: tables } = await target.query<{ name: string }>(
          "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
        )
        for (const { name } of tables) await target.query(`ALTER TABLE public."${name}" SET SCHEMA ${frozen}`)
        for (const { name } of tables) {
          const { rows: found } = await target.query<{ row: Row }>(
            `SELECT to_jsonb(t) AS row FROM ${frozen}."${name}" t`,
          )
          rows.set(
            name,
            found.map(({ row }) => row),
          )
        }
      })
      await between()
      for (const [table, found] of rows) {
        file.exec(`DELETE FROM "${asidePrefix}${table}"`)
        insert(file, `${asidePrefix}${table}`, found)
      }
      const views = file
        .prepare(`SELECT name FROM sqlite_schema WHERE type = 'view' AND sql LIKE '%${movedTable}'`)
        .pluck()
        .all() as string[]
      for (const view of views) file.exec(`DROP VIEW "${view}"`)
      for (const table of views) file.exec(`ALTER TABLE "${asidePrefix}${table}" RENAME TO "${table}"`)
      flip(file, 'sqlite', 'following')
    })
  }

  /** After a way back: the target has its tables again, so that another switch can follow. */
  async prepareTarget(): Promise<void> {
    await this.#onTarget(async (target) => {
      const { rows } = await target.query<{ schema: string; name: string }>(
        "SELECT schemaname AS schema, tablename AS name FROM pg_tables WHERE schemaname LIKE 'frozen%'",
      )
      for (const { schema, name } of rows)
        await target.query(`ALTER TABLE ${schema}."${name}" SET SCHEMA public`)
    })
  }

  /** The processes that say of themselves that they have the file open. */
  processes(): ApplicationProcess[] {
    const file = openSqlite(this.path)
    try {
      return listProcesses(file)
    } finally {
      file.close()
    }
  }

  /** No way back: a small file takes the place of the application's. */
  async complete(): Promise<void> {
    await this.#inFile((file) => {
      const authority = readAuthority(file)
      if (authority) writeAuthority(file, { ...authority, state: 'completed' })
    })
    const file = openSqlite(this.path)
    const authority = readAuthority(file)
    file.close()
    const tombstone = openSqlite(`${this.path}-tombstone`)
    for (const statement of authorityDdl) tombstone.exec(statement)
    if (authority) writeAuthority(tombstone, authority)
    tombstone.pragma('journal_mode = DELETE')
    tombstone.close()
    renameSync(`${this.path}-tombstone`, this.path)
    for (const side of ['-wal', '-shm']) rmSync(`${this.path}${side}`, { force: true })
  }

  /** Before a switch: the file is what it was. */
  async cancel(): Promise<void> {
    await this.#inFile((file) => file.exec('DROP TABLE _outgrow_authority; DROP TABLE _outgrow_process'))
  }

  /** By SQL, where the rows are. */
  async onPostgres<Row>(sql: string): Promise<Row[]> {
    return await withPostgres(this.#directUrl, async (client) => (await client.query(sql)).rows as Row[])
  }

  inSqlite<Row>(sql: string): Row[] {
    const file = openSqlite(this.path)
    try {
      return file.prepare(sql).all() as Row[]
    } finally {
      file.close()
    }
  }

  async drop(): Promise<void> {
    for (const drop of this.#drops) await drop()
  }

  async #inFile(use: (file: SqliteDatabase) => unknown): Promise<number> {
    const file = openSqlite(this.path, 0)
    file.pragma('foreign_keys = OFF') // rows are loaded in any order
    try {
      await until(() => begins(file))
      const held = performance.now()
      await use(file)
      file.exec('COMMIT')
      return performance.now() - held
    } finally {
      file.close()
    }
  }

  async #onTarget(use: (client: PostgresClient) => Promise<void>): Promise<void> {
    const client = await connectPostgres(this.#directUrl)
    try {
      await client.query('BEGIN')
      await use(client)
      await client.query('COMMIT')
    } finally {
      await client.end()
    }
  }
}

/** The writers of this process are on the same thread: a wait in the driver would hold them up. */
function begins(file: SqliteDatabase): boolean {
  try {
    file.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) return false
    throw error
  }
}

function applicationTables(file: SqliteDatabase): string[] {
  return file
    .prepare(
      String.raw`SELECT name FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_outgrow\_%' ESCAPE '\'`,
    )
    .pluck()
    .all() as string[]
}

function flip(file: SqliteDatabase, side: Authority['side'], state: Authority['state']): void {
  const authority = readAuthority(file)
  if (!authority) throw new Error('no graduation has begun')
  writeAuthority(file, { ...authority, side, state, epoch: authority.epoch + 1 })
}

/** SQLite's rows, whose JSON is text and whose counters are the target's sequences. */
async function load(target: PostgresClient, table: string, rows: unknown[]): Promise<void> {
  const { rows: columns } = await target.query<{ name: string; type: string; sequence: string | null }>(
    `SELECT attname AS name, atttypid::regtype::text AS type, pg_get_serial_sequence($1, attname) AS sequence
       FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0`,
    [`"${table}"`],
  )
  const json = columns.filter(({ type }) => type === 'jsonb').map(({ name }) => name)
  const read = (rows as Row[]).map((row) => ({
    ...row,
    ...Object.fromEntries(json.map((name) => [name, parsed(row[name])])),
  }))
  await target.query(`INSERT INTO "${table}" SELECT * FROM json_populate_recordset(null::"${table}", $1)`, [
    JSON.stringify(read),
  ])
  for (const { name, sequence } of columns)
    if (sequence !== null)
      await target.query(`SELECT setval($1, coalesce(max("${name}"), 0) + 1, false) FROM "${table}"`, [
        sequence,
      ])
}

function parsed(text: unknown): unknown {
  return typeof text === 'string' ? JSON.parse(text) : text
}

/** Postgres' rows, as JSON has them. */
function insert(file: SqliteDatabase, table: string, rows: Row[]): void {
  const stored = (value: unknown) =>
    typeof value === 'boolean'
      ? Number(value)
      : typeof value === 'object' && value !== null
        ? JSON.stringify(value)
        : value
  for (const row of rows) {
    const names = Object.keys(row).map((name) => `"${name}"`)
    file
      .prepare(`INSERT INTO "${table}" (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
      .run(Object.values(row).map(stored))
  }
}

type Row = Record<string, unknown>
