import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import type { FollowedTable, TableChanges } from '../../model/change.ts'
import { Refusal, type Finding } from '../../model/finding.ts'
import {
  captureOverflowed,
  pruneLog,
  readLogState,
  targetFellBehind,
} from '../../source/sqlite/live/change-log.ts'
import { changedRows } from '../../source/sqlite/live/changed-rows.ts'
import { dirtyTable } from '../../source/sqlite/live/dirty.ts'
import { applyChanges, unequal, type Applied } from '../../target/postgres/live/apply-changes.ts'
import { recordQuarantined } from './quarantined.ts'
import type { LiveSession } from './session.ts'

/** What a batch came to. */
export interface CaughtUp {
  /** Entries of the log. */
  entries: number
  /** Keys: as many rows at most. */
  keys: number
  position: number
}

/**
 * Applies everything that was committed to the file since the last time: rows by their changed keys, as they are in one
 * state of the file. Afterwards the target is equal to that state.
 * @throws Refusal OUTGROW_BAD_VALUES where a new value cannot be moved as it is; Failure OUTGROW_SCHEMA_CHANGED_LIVE,
 *   OUTGROW_CAPTURE_OVERFLOWED, OUTGROW_VERIFY_MISMATCH: nothing of the batch is in the target then
 */
export async function catchUp(session: LiveSession): Promise<CaughtUp> {
  const caught = await session.file.reading(() => applyRead(session, { as: 'whole' }))
  if (caught.entries > 0) {
    dieAt('applied')
    await prune(session)
    dieAt('pruned')
  }
  return caught
}

/** How changes are applied. */
export interface Applying {
  /** `whole`: in a transaction of their own; `within`: in the one that is open. */
  as: 'whole' | 'within'
  /** What is done first of the tables that have changes. */
  before?: (tables: FollowedTable[]) => string[]
}

/** The same for the state that the reading connection sees by now, and without taking what was applied off the log. */
export async function applyRead(session: LiveSession, { as, before }: Applying): Promise<CaughtUp> {
  const { file, target, ledger, graduation, sql, options } = session
  assertSameSchema(session)
  const log = readLogState(file.reader)
  if (log.overflowed) throw captureOverflowed(log.newest)
  if (log.applied > graduation.applied) throw targetFellBehind(graduation.applied, log.applied)
  const position = log.newest
  const entries = position - graduation.applied
  if (entries === 0) return { entries, keys: 0, position }
  const changes = changesOf(session, position)
  const keys = changes.reduce((sum, one) => sum + one.keys, 0)
  const { client } = target
  try {
    const prepared = before?.(changes.map(({ table }) => table)) ?? []
    const first = [ledger.advance(graduation, position), ...prepared.map((statement) => ({ sql: statement }))]
    const applied = await applyChanges(client, sql, changes, first, as === 'whole')
    refuse(applied, options.onBadValue)
    await recordQuarantined(session, changes, applied.quarantined)
    if (as === 'whole') {
      dieAt('before-apply-commit')
      await client.query('COMMIT')
    }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw error
  }
  for (const { table } of changes) session.uncounted.add(table.number)
  graduation.applied = position
  return { entries, keys, position }
}

/** The changed rows of each table, in the state that the reading connection sees. */
function changesOf({ file, dirty, tables, graduation, options }: LiveSession, to: number): TableChanges[] {
  const counts = dirty.collect(graduation.applied, to)
  return tables.flatMap((table) => {
    const count = counts.get(table.number) ?? 0
    if (count === 0) return []
    return [changedRows(file.reader, table, { listed: dirtyTable(table), count }, options)]
  })
}

function refuse(
  { first: [advanced], findings, ...applied }: Applied & { first: (string | null)[][][] },
  onBadValue: 'stop' | 'quarantine',
): void {
  if (advanced?.length !== 1) {
    throw new Failure({
      code: 'OUTGROW_RUN_ACTIVE',
      message: 'Another process has worked on this graduation meanwhile.',
      fix: 'Run outgrow graduate status to see which.',
    })
  }
  if (findings.length > 0 && onBadValue === 'stop') throw badValues(findings)
  const wrong = unequal(applied)
  if (wrong.length > 0) throw mismatch(wrong.map(({ table }) => table.planned.source.name))
}

function badValues(findings: Finding[]): Refusal {
  const values = findings.reduce((sum, { count }) => sum + count, 0)
  const columns = findings.map(({ table, column, reason }) => `${table}.${column} ${reason}`)
  return new Refusal(
    {
      code: 'OUTGROW_BAD_VALUES',
      message: `${values} new ${values === 1 ? 'value' : 'values'} cannot be moved as they are: ${columns.slice(0, 5).join('; ')}.`,
      why: 'The application wrote them since the copy began. Nothing is changed or dropped silently, and the target waits where it was.',
      fix: 'Correct these rows in the application’s database; the graduation then goes on by itself.',
    },
    findings,
  )
}

function mismatch(tables: string[]): Failure {
  return new Failure({
    code: 'OUTGROW_VERIFY_MISMATCH',
    message: `Changed rows arrived otherwise than they were sent: ${tables.join(', ')}.`,
    why: 'A trigger or a rule of the target changed them, or this is a bug. They were taken back.',
    fix: 'Cancel the graduation and begin again. If the error persists, report it with the output of --json.',
  })
}

/** @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE: a table that is made anew loses its triggers without a word */
function assertSameSchema({ file, schemaVersion }: LiveSession): void {
  const now = file.reader.pragma('schema_version', { simple: true }) as number
  if (now === schemaVersion) return
  throw new Failure({
    code: 'OUTGROW_SCHEMA_CHANGED_LIVE',
    message: 'The schema of the file has changed since the graduation began.',
    why: 'A migration makes tables anew, and what captures their changes is lost with the old ones.',
    fix: 'Cancel the graduation, and begin it again with the new schema.',
  })
}

const prunedAtOnce = 2000
const prunesWithinMs = 500

/**
 * Takes what was applied off the log, a little at a time: it needs the application's write lock. Where a long transaction
 * holds that, it is done the next time.
 */
async function prune({ file, graduation, signal }: LiveSession): Promise<void> {
  for (;;) {
    if (!(await file.tryLock(prunesWithinMs, signal))) return
    const pruned = file.writeLocked((database) => pruneLog(database, graduation.applied, prunedAtOnce))
    if (pruned < prunedAtOnce) return
  }
}
