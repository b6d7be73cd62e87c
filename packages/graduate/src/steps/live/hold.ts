import { runStatements, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import type { Pause } from '../../ledger/graduation.ts'
import type { FollowedTable } from '../../model/change.ts'
import { readCounters } from '../../source/sqlite/counters.ts'
import { readLogState } from '../../source/sqlite/live/change-log.ts'
import { prepareAside, type PreparedNames } from '../../source/sqlite/live/put-aside.ts'
import { counterSql, type CounterSql } from '../../target/postgres/live/advance-counters.ts'
import { followedSql } from '../../target/postgres/live/followed-tables.ts'
import { foreignKeysOf, inPlace, placeTables } from '../../target/postgres/live/placing.ts'
import { actsAsReplica, firesOnReplicas } from '../../target/postgres/live/replica-role.ts'
import { readSwitches, setSearchPath } from '../../target/postgres/stage.ts'
import { applyRead } from './catch-up.ts'
import { giveAuthority } from './give-authority.ts'
import { inHomes } from './in-homes.ts'
import { LiftedRules } from './lifted-rules.ts'
import type { LiveSession } from './session.ts'
import { Watchdog } from './watchdog.ts'

/**
 * Everything of a switch that can be made ready while the application goes on writing: the target's transaction is open,
 * with all tables and foreign keys in place. It is committed or taken back as a whole.
 */
export interface PreparedHold {
  /** The session within that transaction. */
  within: LiveSession
  /** What is off for rows that come as they are, and on again before the commit. */
  lifted: LiftedRules
  counters: CounterSql
  aside: PreparedNames
}

/** @throws what the switch would fail over, on either side; the target is as it was then */
export async function prepareHold(session: LiveSession): Promise<PreparedHold> {
  const { file, target, staging, graduation } = session
  const { client } = target
  const schemas = Object.keys(staging.schemas)
  await runStatements(client, [
    'BEGIN',
    'SET LOCAL lock_timeout = 1000',
    setSearchPath([...Object.values(staging.schemas), ...schemas], staging.home).replace(
      'SET ',
      'SET LOCAL ',
    ),
  ])
  try {
    await placeTables(client, staging, graduation.isPlaced ? graduation.enable : undefined)
    const tables = inHomes(session.tables, staging)
    const within: LiveSession = {
      ...session,
      tables,
      sql: await followedSql(client, tables),
      graduation: { ...graduation },
    }
    const counters = await counterSql(client, staging, tables)
    const switches = await readSwitches(client, schemas)
    const lifted = (await actsAsReplica(client))
      ? new LiftedRules([], switches.filter(firesOnReplicas))
      : new LiftedRules(inPlace(foreignKeysOf(staging), staging), switches)
    session.uncounted.clear()
    const counted = readCounters(file.reader)
    await runStatements(client, moveCounters(tables, counters, counted))
    const names = tables.map(({ planned }) => planned.source.name)
    const aside = file.waiting(() => prepareAside(file.writer, names))
    return { within, lifted, counters, aside }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw error
  }
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
 * The target is asked three times: to apply, to make everything as it is to be, and to commit.
 * @throws Failure OUTGROW_PAUSE_TOO_LONG where the budget is spent before that: nothing has changed, and it can be tried again
 */
export async function hold(
  session: LiveSession,
  { within, lifted, counters, aside }: PreparedHold,
  { kind, budgetMs }: { kind: 'rehearsal' | 'cutover'; budgetMs: number },
): Promise<Held> {
  const { file, target, ledger, graduation } = session
  const { client } = target
  const next = graduation.epoch + 1
  /** The target's commit was answered: only the file's is left. */
  let isCommitted = false
  using watchdog = await Watchdog.start()
  await comeClose(session, within, lifted)
  await lockFile(session)
  watchdog.holds(budgetMs + 2 * commitMs)
  const started = performance.now()
  // Whatever the server is doing by then, the application does not wait for it any longer.
  const release = () => {
    file.unlock()
    watchdog.released()
  }
  const spent = setTimeout(release, budgetMs)
  const assertHeld = () => {
    if (performance.now() - started >= budgetMs || !file.writer.inTransaction) throw tooLong(budgetMs)
  }
  try {
    dieAt('held')
    refuseMany(within, budgetMs)
    const { keys, position } = await file.reading(async () => {
      const caught = await applyRead(within, { as: 'within', before: (touched) => lifted.lift(touched) })
      assertHeld()
      return caught
    })
    const counted = readCounters(file.writer)
    const moved = moveCounters(
      within.tables.filter(({ number }) => session.uncounted.has(number)),
      counters,
      counted,
    )
    await runStatements(client, [...moved, ...lifted.restore(), ledger.switchSql(next, 'switched', position)])
    assertHeld()
    giveAuthority(file, { side: 'postgres', epoch: next, state: 'switched' })
    aside.apply(file.writer)
    assertHeld()
    clearTimeout(spent)
    if (kind === 'cutover') {
      dieAt('before-postgres-commit')
      await answered(commitMs, client, client.query('COMMIT'))
      isCommitted = true
      dieAt('between-commits')
      file.writer.exec('COMMIT')
      dieAt('after-commit')
      Object.assign(graduation, { epoch: next, state: 'switched', applied: position })
    }
    release()
    const ms = performance.now() - started
    if (kind === 'rehearsal') await client.query('ROLLBACK')
    return { kind, at: new Date().toISOString(), ms, keys }
  } catch (error) {
    const isSpent = !isCommitted && !file.writer.inTransaction
    release()
    await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw isSpent ? tooLong(budgetMs) : error
  } finally {
    clearTimeout(spent)
  }
}

/** Statements that move the tables' counters on to where the file's are. */
function moveCounters(
  tables: readonly FollowedTable[],
  counters: CounterSql,
  counted: ReadonlyMap<string, bigint>,
): string[] {
  return tables.flatMap(
    ({ number, planned }) => counters.get(number)?.(counted.get(planned.source.name) ?? 0n) ?? [],
  )
}

/** As many entries for each ms of the budget are applied in time on any machine that is worth it. */
const entriesPerMs = 50

/** A large statement came right before the lock: encoding its rows would not hear of the budget. */
function refuseMany({ file, graduation }: LiveSession, budgetMs: number): void {
  const { newest } = readLogState(file.writer)
  if (newest - graduation.applied > entriesPerMs * budgetMs) throw tooLong(budgetMs)
}

const rounds = 8

/** Applies what was written meanwhile, as often as each time leaves less for the pause. */
async function comeClose(session: LiveSession, within: LiveSession, lifted: LiftedRules): Promise<void> {
  let before = Infinity
  try {
    for (let round = 0; round < rounds; round++) {
      const { keys } = await session.file.reading(() =>
        applyRead(within, { as: 'within', before: (touched) => lifted.lift(touched) }),
      )
      if (keys === 0 || keys > before) return
      before = keys
    }
  } catch (error) {
    await session.target.client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw error
  }
}

async function lockFile({ file, target: { client }, signal }: LiveSession): Promise<void> {
  try {
    await file.lock(10_000, signal)
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw error
  }
}

/** Waits for an answer of the server; without one in time it hangs up. */
export async function answered<Answer>(
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
