import { quoteLiteral, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { readRelations, type Relation } from './catalog/relations.ts'

/** How long a backup waits behind another session's lock, as it begins. */
const defaultLockTimeoutMs = 60_000
const attempts = 5

/** One state of the database, which several sessions see. */
export interface Snapshot {
  id: string
  takenAt: Date
  /** Each locked against changes of its form. */
  relations: Relation[]
}

/**
 * Begins a transaction that sees one state, with every table locked against changes of its form: a lock comes before the
 * state, so that none has changed in between.
 * @throws Failure OUTGROW_BACKUP_PRIVILEGES, OUTGROW_BACKUP_LOCKED
 */
export async function takeSnapshot(
  client: PostgresClient,
  lockTimeoutMs = defaultLockTimeoutMs,
): Promise<Snapshot> {
  return withLockTimeout(client, lockTimeoutMs, async () => {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const expected = await readRelations(client)
      refuseUnreadable(expected, client.user ?? '')
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY')
      if (await lockTables(client, expected)) {
        const { rows } = await client.query<{ id: string; now: Date }>(
          'SELECT pg_export_snapshot() AS id, clock_timestamp() AS now',
        )
        const relations = await readRelations(client)
        const { id, now } = rows[0] as { id: string; now: Date }
        if (sameRelations(expected, relations)) return { id, takenAt: now, relations }
      }
      await client.query('ROLLBACK')
    }
    throw changing()
  })
}

/** Has another session see the same, and hold the same locks: a change that waits for the first would stop it otherwise. */
export async function joinSnapshot(client: PostgresClient, { id, relations }: Snapshot): Promise<void> {
  await withLockTimeout(client, defaultLockTimeoutMs, async () => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(id)}`)
    if (!(await lockTables(client, relations))) throw changing()
  })
}

/** @throws Failure OUTGROW_BACKUP_LOCKED */
async function withLockTimeout<Result>(
  client: PostgresClient,
  lockTimeoutMs: number,
  use: () => Promise<Result>,
): Promise<Result> {
  await client.query(`SET lock_timeout = ${lockTimeoutMs}`)
  try {
    const result = await use()
    await client.query('SET lock_timeout = 0')
    return result
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error
    throw new Failure({
      code: 'OUTGROW_BACKUP_LOCKED',
      message: `A table was locked by another session for more than ${lockTimeoutMs} ms.`,
      why: 'A backup reads every table, and waits no longer: other sessions would have to wait behind it.',
      fix: "Wait until the migration or the maintenance that holds the lock has ended, and run the command again. SELECT * FROM pg_locks WHERE mode = 'AccessExclusiveLock' shows who holds it.",
      cause: error,
    })
  }
}

/** False when one of them is gone. */
async function lockTables(client: PostgresClient, relations: readonly Relation[]): Promise<boolean> {
  const tables = relations.filter(({ kind }) => kind === 'table' || kind === 'partitioned')
  if (tables.length === 0) return true
  const names = tables.map(({ label }) => `ONLY ${label}`).join(', ')
  try {
    await client.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`)
    return true
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === '42P01' || code === '3F000') return false
    throw error
  }
}

function sameRelations(one: readonly Relation[], other: readonly Relation[]): boolean {
  const named = (relations: readonly Relation[]) =>
    relations.map(({ oid, label }) => `${oid} ${label}`).join('\n')
  return named(one) === named(other)
}

/** The form of the database does not hold still. */
export function changing(): Failure {
  return new Failure({
    code: 'OUTGROW_BACKUP_LOCKED',
    message: 'Tables, functions or grants changed again and again while the backup was beginning.',
    why: 'A backup holds one state of them all.',
    fix: 'Run the command again when the migration has ended.',
  })
}

/** @throws Failure OUTGROW_BACKUP_PRIVILEGES */
export function refuseUnreadable(relations: readonly Relation[], role: string): void {
  const unreadable = relations.filter(({ kind, mayRead }) => kind !== 'foreign table' && !mayRead)
  if (unreadable.length > 0) {
    throw new Failure({
      code: 'OUTGROW_BACKUP_PRIVILEGES',
      message: `The role ${role} may not read ${listed(unreadable)}.`,
      why: 'A backup without them would not be one of this database.',
      fix: `Run GRANT pg_read_all_data TO the role (PostgreSQL 14 and later), or GRANT USAGE on the schemas and SELECT on these tables and sequences; or use the role that owns them.`,
    })
  }
  const hidden = relations.filter(({ hidesRows }) => hidesRows)
  if (hidden.length === 0) return
  throw new Failure({
    code: 'OUTGROW_BACKUP_PRIVILEGES',
    message: `Row security hides rows of ${listed(hidden)} from the role ${role}.`,
    why: 'A backup must hold every row.',
    fix: 'Use a role with BYPASSRLS, or the one that owns the tables if they are not set to FORCE ROW LEVEL SECURITY.',
  })
}

function listed(relations: readonly Relation[]): string {
  const shown = relations.slice(0, 10).map(({ label }) => label)
  const more = relations.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
