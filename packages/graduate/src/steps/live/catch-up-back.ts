import { nameBeforeAside } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import { addDigests, emptyDigest, sameDigest } from '../../model/digest.ts'
import type { ChangedRows, LoggedChanges, PostgresChanges } from '../../source/postgres/changes.ts'
import type { ReturningTable } from '../../target/sqlite/returning-table.ts'
import type { BackSession } from './back-session.ts'

const idsAtOnce = 10_000
const rowsAtOnce = 2000

/**
 * Applies what the target has committed since the last time to the tables that are aside in the file: rows by their changed
 * keys, as they are in one state of the target. Entries are taken off its log once the file has them: a crash in between
 * applies them again, to the same end.
 * @returns how many entries
 */
export async function catchUpBack(session: BackSession): Promise<number> {
  const { file, second, changes, signal } = session
  const logged = await second.reading(async () => {
    const own = await changes[1].logged(session.tables)
    if (own.length === 0) return own
    await file.lock(10_000, signal)
    try {
      await applyBack(session, changes[1], own)
      file.writer.exec('COMMIT')
    } catch (error) {
      file.unlock()
      throw error
    }
    return own
  })
  dieAt('back-applied')
  await changes[1].forget(logged)
  return logged.reduce((sum, { ids }) => sum + ids.length, 0)
}

/**
 * Applies entries of the logs, within the file's write transaction and a state of the target.
 * @throws Failure OUTGROW_BACK_REFUSED where the file does not hold a row as the target does
 */
export async function applyBack(
  { returning }: BackSession,
  changes: PostgresChanges,
  logged: readonly LoggedChanges[],
): Promise<void> {
  const tables = logged.map((one) => ({ one, into: returning.get(one.table.number) as ReturningTable }))
  const isSmall = logged.every(({ ids, everything }) => ids.length <= idsAtOnce && !everything)
  await changes.refuseKeyless(logged)
  try {
    if (isSmall) {
      const kept = await changes.changed(logged)
      for (const [at, { into }] of tables.entries()) into.lift(kept[at]?.keys ?? [])
      for (const [at, { into }] of tables.entries()) {
        const { rows } = kept[at] as ChangedRows
        if (!sameDigest(into.put(rows), into.digestOf(rows))) throw refused(into, rows)
      }
    } else {
      for (const { one, into } of tables) {
        if (one.everything) into.liftAll()
        else for (const part of parts(one)) into.lift((await changes.changed([part]))[0]?.keys ?? [])
      }
      for (const { one, into } of tables) await putAll(changes, one, into)
    }
  } finally {
    for (const { into } of tables) into.end()
  }
}

/** Puts in what does not fit into memory, and looks at what the file has made of it. */
async function putAll(changes: PostgresChanges, one: LoggedChanges, into: ReturningTable): Promise<void> {
  if (one.everything) {
    let sent = emptyDigest
    for await (const rows of changes.everyRow(one.table, rowsAtOnce)) sent = addDigests(sent, into.put(rows))
    if (sameDigest(sent, into.digestOfAll())) return
    for await (const rows of changes.everyRow(one.table, rowsAtOnce))
      if (into.differenceIn(rows) !== undefined) throw refused(into, rows)
    throw refused(into, [])
  }
  // A key of two parts has its row put in once.
  const seen = new Set<string>()
  for (const part of parts(one)) {
    const [changed] = await changes.changed([part])
    const fresh = (changed?.rows ?? []).filter((row) => {
      const id = into.keyOf(row)
      if (seen.has(id)) return false
      seen.add(id)
      return true
    })
    if (!sameDigest(into.put(fresh), into.digestOf(fresh))) throw refused(into, fresh)
  }
}

function parts(one: LoggedChanges): LoggedChanges[] {
  const all: LoggedChanges[] = []
  for (let at = 0; at < one.ids.length; at += idsAtOnce)
    all.push({ ...one, ids: one.ids.slice(at, at + idsAtOnce) })
  return all
}

function refused(into: ReturningTable, rows: readonly Buffer[]): Failure {
  const name = nameBeforeAside(into.table.planned.source.name)
  const where = into.differenceIn(rows)
  return new Failure({
    code: 'OUTGROW_BACK_REFUSED',
    message: `A value that was written to ${name} in Postgres cannot be held by the SQLite file as it is${where === undefined ? '' : `: ${where}`}.`,
    why: 'The file’s column would change it, such as a number with more digits than a double has. Nothing was applied.',
    fix: 'Change the value in Postgres, or stay there: outgrow graduate complete.',
  })
}
