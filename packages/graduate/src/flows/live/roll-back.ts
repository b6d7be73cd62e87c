import { setTimeout as sleep } from 'node:timers/promises'
import { missingItems, runStatements } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Finding } from '../../model/finding.ts'
import type { TableReport } from '../../model/report.ts'
import { backSession, type BackSession } from '../../steps/live/back-session.ts'
import { catchUpBack } from '../../steps/live/catch-up-back.ts'
import { finishFile, holdBack, prepareHoldBack, targetCounters } from '../../steps/live/hold-back.ts'
import type { Held } from '../../steps/live/hold.ts'
import type { LiveSession } from '../../steps/live/session.ts'
import { verifyBack } from '../../steps/live/verify-back.ts'
import { applyBack } from '../../steps/live/catch-up-back.ts'
import { prepareReturn } from '../../source/sqlite/live/put-aside.ts'
import { dropForeignSql } from '../../target/postgres/live/placing.ts'
import { schemaChanged, shapeOf } from '../../target/postgres/live/shape.ts'
import { setSearchPath, switchOff } from '../../target/postgres/stage.ts'

const heldEntries = 500
/** What is applied in so much of the budget may come while writes are held. */
const shareOfBudget = 1 / 4
/** So often in a row no fewer changes may be left than before. */
const rounds = 3
const restMs = 2000

/**
 * Goes back to the file: applies what the target has changed since the switch, compares every row, and gives the authority
 * back under a pause as short as that of the switch. Afterwards the target follows again.
 * @throws Failure OUTGROW_BACK_OVERFLOWED, OUTGROW_BACK_REFUSED, OUTGROW_SCHEMA_CHANGED_LIVE, OUTGROW_PAUSE_TOO_LONG
 */
export async function rollBack(
  session: LiveSession,
  { budgetMs, attempts }: { budgetMs: number; attempts: number },
  onLag: (entries: number) => void,
): Promise<{ held: Held; findings: Finding[] }> {
  const back = await backSession(session)
  const shape = await refuseLost(back)
  for (const table of back.returning.values()) await table.prepare(back.signal)
  onLag(await catchUpBack(back))
  const { verified, tables, findings } = await verifyBack(back)
  if (!verified.isEqual || findings.length > 0) throw differs(tables, findings)
  for (let attempt = 1; ; attempt++) {
    const prepared = await prepareHoldBack(back)
    await settleBack(back, budgetMs, onLag)
    try {
      const held = await holdBack(back, prepared, { budgetMs, shape })
      const { kind, at, ms } = held
      await back.ledger.recordPauses([{ kind, at, ms: Math.round(ms * 10) / 10 }])
      await followAgain(back)
      return { held, findings }
    } catch (error) {
      if (!canTryAgain(error) || attempt >= attempts) throw error
      await sleep(restMs, undefined, { signal: back.signal })
    }
  }
}

/** The budget is spent, or a transaction of the application locked tables in another order: nothing has changed. */
function canTryAgain(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'OUTGROW_PAUSE_TOO_LONG' || code === '40P01'
}

/**
 * Applies what is logged until what comes meanwhile is little, or quickly applied: one statement of the application may
 * change more rows than that.
 * @throws Failure OUTGROW_PAUSE_TOO_LONG where the application changes as much as is applied meanwhile
 */
async function settleBack(
  session: BackSession,
  budgetMs: number,
  onLag: (entries: number) => void,
): Promise<void> {
  let [fewest, without] = [Infinity, 0]
  for (;;) {
    session.signal.throwIfAborted()
    const started = performance.now()
    const entries = await catchUpBack(session)
    const ms = performance.now() - started
    onLag(entries)
    if (entries <= heldEntries || ms < budgetMs * shareOfBudget) return
    without = entries < fewest ? 0 : without + 1
    if (without === rounds) throw tooFast(entries, ms)
    fewest = Math.min(fewest, entries)
  }
}

/** The target was given up, and the file was not committed: it gets what the target logged, and the authority. */
export async function finishReturn(session: LiveSession): Promise<void> {
  const back = await backSession(session)
  const [changes] = back.changes
  const { file, graduation, signal } = back
  const logged = await back.target.transaction(async () => {
    const own = await changes.logged(back.tables)
    const counters = await targetCounters(back)
    const names = prepareReturn(file.writer, { capture: true })
    await file.lock(10_000, signal)
    try {
      await applyBack(back, changes, own)
      finishFile(back, names, graduation.epoch, counters)
      file.writer.exec('COMMIT')
    } finally {
      file.unlock()
    }
    return own
  })
  await changes.forget(logged)
  await followAgain(back)
}

/** Makes the target ready to follow: without foreign keys, and without triggers but those that log. */
export async function followAgain(session: LiveSession): Promise<void> {
  const { target, ledger, staging, graduation } = session
  const { client } = target
  await client.query(setSearchPath(Object.values(staging.schemas), staging.home))
  await target.transaction(async () => {
    await runStatements(client, dropForeignSql(staging))
    await ledger.recordSwitchedOff(await switchOff(client, staging))
  })
  await ledger.forgetApplied()
  graduation.enable = (await ledger.read()).enable
}

/**
 * @returns what the tables' shape is to be until the end
 * @throws Failure OUTGROW_BACK_OVERFLOWED, OUTGROW_SCHEMA_CHANGED_LIVE
 */
async function refuseLost({ target, staging, changes }: BackSession): Promise<string> {
  await changes[0].refuseLost()
  const shape = await shapeOf(target.client, Object.keys(staging.schemas))
  const found = await target.structure(Object.keys(staging.schemas))
  const now = found.filter(({ kind, name }) => kind !== 'column' || !staging.castColumns.includes(name))
  const compared = (kind: string) => kind === 'column' || kind === 'table'
  const changed = [
    ...missingItems(
      staging.promised.filter(({ kind }) => compared(kind)),
      now,
    ),
    ...missingItems(
      now.filter(({ kind }) => compared(kind)),
      staging.promised,
    ),
  ].map(({ kind, name }) => `${kind} ${name}`)
  if (changed.length > 0) throw schemaChanged([...new Set(changed)].slice(0, 8).join(', '))
  return shape
}

function tooFast(entries: number, ms: number): Failure {
  const needed = Math.ceil(ms / shareOfBudget / 1000) * 1000
  return new Failure({
    code: 'OUTGROW_PAUSE_TOO_LONG',
    message: `The application changes rows in Postgres as fast as they are applied to the file: ${entries} each time, which take ${(ms / 1000).toFixed(1)} s.`,
    why: 'What is left is applied while writes are held, and would not fit into the budget. Nothing has changed.',
    fix: `Try again when there is less load, or with --budget-ms ${needed}.`,
  })
}

function differs(tables: TableReport[], findings: Finding[]): Failure {
  const named = findings.map(
    ({ table, column, reason }) => `${table}${column === null ? '' : `.${column}`} ${reason}`,
  )
  // Rows may have differed that do not any more when they are looked for.
  const unequal = tables.filter(({ digestMatch }) => !digestMatch).map(({ table }) => table)
  const what = named.length > 0 ? named : unequal.map((table) => `the rows of ${table}`)
  return Object.assign(
    new Failure({
      code: 'OUTGROW_VERIFY_MISMATCH',
      message: `The file would differ from Postgres: ${what.slice(0, 5).join('; ')}.`,
      why: 'What a session changes with triggers switched off is not logged. Postgres keeps the authority.',
      fix: 'Stay in Postgres, or mend these rows there: any change of theirs is logged.',
    }),
    { findings },
  )
}
