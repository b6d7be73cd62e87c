import { runStatements, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import type { Pause } from '../../ledger/graduation.ts'
import { readCounters } from '../../source/sqlite/counters.ts'
import { prepareAside, type PreparedNames } from '../../source/sqlite/live/put-aside.ts'
import { counterSql, type CounterSql } from '../../target/postgres/live/advance-counters.ts'
import { rehearsePlacing } from '../../target/postgres/live/placing.ts'
import { applyRead } from './catch-up.ts'
import { giveAuthority } from './give-authority.ts'
import type { LiveSession } from './session.ts'
import { Watchdog } from './watchdog.ts'

/** Everything of a switch that can be made ready while the application goes on writing. */
export interface PreparedHold {
  placing: string[]
  counters: CounterSql
  aside: PreparedNames
}

/** @throws what the switch would fail over, on either side */
export async function prepareHold(session: LiveSession): Promise<PreparedHold> {
  const { file, target, staging, graduation, tables } = session
  const { client } = target
  const counters = await counterSql(client, staging, tables)
  session.uncounted.clear()
  const counted = readCounters(file.reader)
  for (const { number, planned } of tables) {
    for (const sql of counters.get(number)?.(counted.get(planned.source.name) ?? 0n) ?? [])
      await client.query(sql)
  }
  const { statements } = await rehearsePlacing(client, staging, graduation.epoch === 1)
  const aside = prepareAside(
    file.writer,
    tables.map(({ planned }) => planned.source.name),
  )
  return { placing: statements, counters, aside }
}

/** What holding the application's writes came to. */
export interface Held extends Pause {
  /** Rows that were applied meanwhile. */
  keys: number
}

/** How long the answer to the target's COMMIT may take, once it is sent: before it, nobody knows who has the rows. */
export const commitMs = 5000

/**
 * Holds the application's writes, applies what is left, and gives the authority to the target; a rehearsal takes all of it
 * back. The commit of the file is the switch: before it nothing has happened for the application but a wait, and the
 * target's own commit, just before, is undone by whoever goes on after a crash in between.
 * The target is asked three times: to apply, to put everything in place, and to commit.
 * @throws Failure OUTGROW_PAUSE_TOO_LONG where the budget is spent before that: nothing has changed, and it can be tried again
 */
export async function hold(
  session: LiveSession,
  { placing, counters, aside }: PreparedHold,
  { kind, budgetMs }: { kind: 'rehearsal' | 'cutover'; budgetMs: number },
): Promise<Held> {
  const { file, target, ledger, graduation } = session
  const { client } = target
  const next = graduation.epoch + 1
  using watchdog = await Watchdog.start()
  await file.lock(10_000, session.signal)
  watchdog.holds(budgetMs + 2 * commitMs)
  const started = performance.now()
  // Whatever the server is doing by then, the application does not wait for it any longer.
  const spent = setTimeout(() => file.unlock(), budgetMs)
  const assertHeld = () => {
    if (performance.now() - started >= budgetMs || !file.writer.inTransaction) throw tooLong(budgetMs)
  }
  try {
    dieAt('held')
    const { keys, position } = await file.reading(async () => {
      const caught = await applyRead(session, undefined)
      assertHeld()
      return caught
    })
    const counted = readCounters(file.writer)
    const moved = session.tables
      .filter(({ number }) => session.uncounted.has(number))
      .flatMap(({ number, planned }) => counters.get(number)?.(counted.get(planned.source.name) ?? 0n) ?? [])
    await runStatements(client, [
      `SET LOCAL lock_timeout = ${Math.ceil(budgetMs)}`,
      ...moved,
      ...placing,
      ledger.switchSql(next, 'switched', position),
    ])
    assertHeld()
    giveAuthority(file, { side: 'postgres', epoch: next, state: 'switched' })
    aside.apply(file.writer)
    assertHeld()
    clearTimeout(spent)
    if (kind === 'cutover') {
      dieAt('before-postgres-commit')
      await within(commitMs, client, client.query('COMMIT'))
      dieAt('between-commits')
      file.writer.exec('COMMIT')
      dieAt('after-commit')
      Object.assign(graduation, { epoch: next, state: 'switched', applied: position })
    }
    file.unlock()
    const ms = performance.now() - started
    if (kind === 'rehearsal') await client.query('ROLLBACK')
    return { kind, at: new Date().toISOString(), ms, keys }
  } catch (error) {
    const isSpent = !file.writer.inTransaction
    file.unlock()
    await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw isSpent ? tooLong(budgetMs) : error
  } finally {
    clearTimeout(spent)
  }
}

/** Waits for an answer of the server; without one in time it hangs up. */
export async function within<Answer>(
  ms: number,
  client: PostgresClient,
  answer: Promise<Answer>,
): Promise<Answer> {
  const timer = setTimeout(() => client.connection.stream.destroy(), ms)
  try {
    return await answer
  } finally {
    clearTimeout(timer)
  }
}

export function tooLong(budgetMs: number): Failure {
  return new Failure({
    code: 'OUTGROW_PAUSE_TOO_LONG',
    message: `The switch was not ready within ${Math.round(budgetMs)} ms, and was taken back.`,
    why: 'The application’s writes are held for no longer than the budget. Nothing has changed; they went on.',
    fix: 'Try again when there is less load, or with a larger --budget-ms.',
  })
}
