import { setTimeout as sleep } from 'node:timers/promises'
import { authorityLock, pipelined, runStatements, type PostgresClient } from '@outgrow/databases'
import { dieAt } from '../../die-at.ts'
import { backLogSequence } from '../../model/back-log.ts'
import { qualified } from '../../target/postgres/constraints.ts'
import { withdrawingSql } from '../../target/postgres/live/placing.ts'
import { schemaChanged, shapeOf } from '../../target/postgres/live/shape.ts'
import { recordSchemaVersion } from '../../source/sqlite/live/capture.ts'
import { prepareReturn, type PreparedNames } from '../../source/sqlite/live/put-aside.ts'
import { advanceCounter, countsUp } from '../../target/sqlite/finish-tables.ts'
import type { BackSession } from './back-session.ts'
import { applyBack } from './catch-up-back.ts'
import { Watchdog } from './watchdog.ts'
import { giveAuthority } from './give-authority.ts'
import { answered, commitMs, tooLong, type Held } from './hold.ts'

/** How long the answer to a cancel is waited for while the application waits too. */
const cancelMs = 500

/** What of the way back can be made ready while the application goes on writing. */
export interface PreparedReturn {
  withdrawing: string[]
  back: PreparedNames
}

/** @throws what the way back would fail over */
export async function prepareHoldBack({ file, target, staging }: BackSession): Promise<PreparedReturn> {
  return {
    withdrawing: await withdrawingSql(target.client, staging),
    back: prepareReturn(file.writer, { capture: true }),
  }
}

/**
 * Holds the target's writes, applies what is left to the file, and gives the authority back to it. The target is committed
 * first, with its tables where nobody finds them: never are both sides writable. Whoever goes on after a crash in between
 * finishes it.
 * @param shape of the target's tables, when they were found to be what the file has
 * @throws Failure OUTGROW_PAUSE_TOO_LONG where the budget is spent before that, OUTGROW_SCHEMA_CHANGED_LIVE,
 *   OUTGROW_BACK_OVERFLOWED: nothing has changed
 */
export async function holdBack(
  session: BackSession,
  { withdrawing, back }: PreparedReturn,
  { budgetMs, shape }: { budgetMs: number; shape: string },
): Promise<Held> {
  const { file, target, ledger, graduation, tables, changes, staging } = session
  const { client } = target
  const next = graduation.epoch + 1
  const all = tables.map(({ planned }) => qualified(planned.target)).join(', ')
  using watchdog = await Watchdog.start()
  watchdog.holds(budgetMs + 2 * commitMs)
  const started = performance.now()
  let cancelled: Promise<unknown> | undefined
  const spent = setTimeout(() => {
    cancelled = cancelBackend(session)
  }, budgetMs)
  try {
    await runStatements(client, [
      // Whatever the server's default, each statement sees what was committed while the locks were waited for.
      'BEGIN ISOLATION LEVEL READ COMMITTED',
      // Below the time after which the server would end one of two that wait for each other, which may be the application.
      `SET LOCAL lock_timeout = ${Math.ceil(Math.min(budgetMs, 800))}`,
      // Of the session: whoever waits for it goes on when the file is committed too, and finds where the rows are.
      `SELECT pg_advisory_lock(${authorityLock.join(', ')})`,
      `LOCK TABLE ${all} IN ACCESS EXCLUSIVE MODE`,
    ])
    const [logged, found, counters] = await pipelined(client, () => [
      changes[0].logged(tables),
      shapeOf(client, Object.keys(staging.schemas)),
      targetCounters(session),
    ])
    if (found !== shape) throw schemaChanged('a migration ran while the way back was under way')
    await file.lock(budgetMs, session.signal)
    dieAt('back-held')
    await applyBack(session, changes[0], logged)
    await runStatements(client, [
      ...withdrawing,
      ledger.returnSql(next, backLogSequence({ schema: ledger.schema, record: ledger.table })),
    ])
    finishFile(session, back, next, counters)
    if (performance.now() - started >= budgetMs) throw tooLong(budgetMs)
    clearTimeout(spent)
    dieAt('back-before-postgres-commit')
    await answered(commitMs, client, client.query('COMMIT'))
    dieAt('back-between-commits')
    file.writer.exec('COMMIT')
    dieAt('back-after-commit')
    const ms = performance.now() - started
    Object.assign(graduation, { epoch: next, state: 'following' })
    const keys = logged.reduce((sum, { ids }) => sum + ids.length, 0)
    return { kind: 'rollback', at: new Date().toISOString(), ms, keys }
  } catch (error) {
    // A lock that was not free in time, or a statement that was cancelled when the time was over.
    const isSpent =
      /^(55P03|57014)$/.test((error as { code?: string }).code ?? '') ||
      performance.now() - started >= budgetMs
    clearTimeout(spent)
    file.unlock()
    // It ends whatever the server is doing when it arrives.
    await Promise.race([cancelled, sleep(cancelMs)])
    await insist(client, 'ROLLBACK')
    throw isSpent ? tooLong(budgetMs) : error
  } finally {
    clearTimeout(spent)
    await insist(client, `SELECT pg_advisory_unlock(${authorityLock.join(', ')})`)
    await cancelled
  }
}

/** Runs what gives locks back. Where it cannot be done, hanging up does it. */
async function insist(client: PostgresClient, sql: string): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    try {
      await client.query(sql)
      return
    } catch {
      // A cancel arrived late; or the session is gone, and its locks with it.
    }
  }
  client.connection.stream.destroy()
}

/**
 * Brings the file's own names back, and what captures its changes; its counters go on where the target's were. Within the
 * file's write transaction.
 */
export function finishFile(
  { file }: BackSession,
  back: PreparedNames,
  epoch: number,
  counters: FileCounter[],
): void {
  const known = file.writer.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'").get()
  if (known !== undefined) {
    for (const { table, last } of counters)
      if (countsUp(file.writer, table)) advanceCounter(file.writer, table, last)
  }
  giveAuthority(file, { side: 'sqlite', epoch, state: 'following' })
  recordSchemaVersion(file.writer, back.version)
  back.apply(file.writer)
}

/** How far the target has counted the ids of a table: SQLite would give the id of a deleted row again. */
interface FileCounter {
  /** Its name while it is aside. */
  table: string
  last: bigint
}

export async function targetCounters({ target, aside }: BackSession): Promise<FileCounter[]> {
  const counted = aside.flatMap(({ planned }) =>
    planned.target.columns
      .filter(({ sequence }) => sequence !== undefined)
      .map(({ name }) => ({ table: planned.source.name, target: qualified(planned.target), name })),
  )
  const { rows } = await target.client.query<{ place: string; last: string | null }>(
    `SELECT place, pg_sequence_last_value(pg_get_serial_sequence(t, c)::regclass)::text AS last
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY x(t, c, place)`,
    [counted.map((one) => one.target), counted.map(({ name }) => name)],
  )
  return rows.flatMap(({ place, last }) => {
    const known = counted[Number(place) - 1]
    return known === undefined || last === null ? [] : [{ table: known.table, last: BigInt(last) }]
  })
}

/** The server gives up what it is waiting for, and the application goes on. */
async function cancelBackend({ target, second: { client } }: BackSession): Promise<void> {
  const { processID } = target.client as unknown as { processID: number }
  // It may be that nobody is there any more to be asked.
  await answered(commitMs, client, client.query('SELECT pg_cancel_backend($1)', [processID])).catch(() => {})
}
