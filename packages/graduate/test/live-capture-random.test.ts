import { openSqlite, quoteIdentifier, readSourceTables, type SqliteDatabase } from '@outgrow/databases'
import { temporaryFolder } from '@outgrow/testing'
import * as fc from 'fast-check'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { capture, uncapture } from '../src/source/sqlite/live/capture.ts'
import { captureKey, captureProblems } from '../src/source/sqlite/live/capture-problems.ts'
import type { CapturedTable } from '../src/source/sqlite/live/captured-table.ts'
import { readLogState } from '../src/source/sqlite/live/change-log.ts'
import { draws, randomChange, randomSchema, type Draw, type RandomSchema } from './live-schemas.ts'

const runs = Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3) * 60

/** Every row as text, by its exact key as text. */
function contentOf(database: SqliteDatabase, { name, key }: CapturedTable): Map<string, string> {
  const columns = database.prepare('SELECT name FROM pragma_table_xinfo(?)').pluck().all(name) as string[]
  const text = (column: string) => {
    const quoted = quoteIdentifier(column)
    return `typeof(${quoted}) || hex(CAST(${quoted} AS BLOB)) || printf('%!.17g', CASE typeof(${quoted}) WHEN 'real' THEN ${quoted} END)`
  }
  const exact = (list: string[]) => list.map(text).join(" || ',' || ")
  const rows = database
    .prepare(`SELECT ${exact(key)}, ${exact(columns)} FROM ${quoteIdentifier(name)}`)
    .raw()
    .all() as [string, string][]
  return new Map(rows)
}

function keysLogged(database: SqliteDatabase, { number, key }: CapturedTable, after: number): Set<string> {
  const text = key
    .map((_, at) => `k${at + 1}`)
    .map(
      (k) =>
        `typeof(${k}) || hex(CAST(${k} AS BLOB)) || printf('%!.17g', CASE typeof(${k}) WHEN 'real' THEN ${k} END)`,
    )
  return new Set(
    database
      .prepare(`SELECT ${text.join(" || ',' || ")} FROM _outgrow_change WHERE tbl = ? AND seq > ?`)
      .pluck()
      .all(number, after) as string[],
  )
}

const tally = { committed: 0, changed: 0, refused: 0 }

function attempt(database: SqliteDatabase, sql: string): boolean {
  try {
    database.exec(sql)
    return true
  } catch {
    return false
  }
}

/** Statements of one transaction, some of which fail. */
function transaction(
  application: SqliteDatabase,
  { tables, mayRecurse }: RandomSchema,
  draw: Draw,
): string[] {
  const { pick, chance } = draw
  const done: string[] = []
  const run = (sql: string) => done.push(`${attempt(application, sql) ? '' : 'failed: '}${sql}`)
  run(`PRAGMA recursive_triggers = ${mayRecurse ? pick([0, 1]) : 0}`)
  run(`PRAGMA foreign_keys = ${pick([0, 1])}`)
  run('BEGIN IMMEDIATE')
  if (chance(0.3)) run('PRAGMA defer_foreign_keys = 1')
  for (let at = 0; at < pick([1, 1, 2, 4]); at++) {
    const back = chance(0.15)
    if (back) run('SAVEPOINT s')
    run(randomChange(pick(tables), draw))
    // OR ROLLBACK has ended the transaction: what follows would be one of its own.
    if (!application.inTransaction) break
    if (back) run(chance(0.5) ? 'ROLLBACK TO s' : 'RELEASE s')
  }
  if (application.inTransaction) run(chance(0.15) ? 'ROLLBACK' : 'COMMIT')
  if (application.inTransaction) run('ROLLBACK')
  return done
}

test(
  'each key whose row a transaction changed is in its part of the log, whatever the schema',
  () => {
    const folder = temporaryFolder()
    let files = 0
    fc.assert(
      fc.property(draws, (draw) => {
        const path = join(folder, `${++files}.db`)
        const application = openSqlite(path)
        application.pragma('synchronous = OFF')
        application.pragma('foreign_keys = OFF')
        const schema = randomSchema(draw)
        const made = schema.sql.filter((sql) => attempt(application, sql))
        for (let at = 0; at < 20; at++) attempt(application, randomChange(draw.pick(schema.tables), draw))
        const database = openSqlite(path)
        const sources = readSourceTables(database).filter(
          (table) => table.owner === undefined && !table.virtual,
        )
        const tables = sources.flatMap((table, at) => {
          if (captureProblems([table], database).length > 0) return []
          return [{ number: at + 1, name: table.name, key: captureKey(database, table) as string[] }]
        })
        tally.refused += sources.length - tables.length
        const before = schemaOf(database)
        capture(database, tables, {
          graduation: 'g',
          epoch: 1,
          maxLog: 100_000,
          target: { database: 'x', schema: 'public', system: null },
        })
        let contents = tables.map((table) => contentOf(database, table))
        let { newest } = readLogState(database)
        for (let round = 0; round < 6; round++) {
          const statements = transaction(application, schema, draw)
          const now = tables.map((table) => contentOf(database, table))
          const state = readLogState(database)
          for (const [at, table] of tables.entries()) {
            const then = contents[at] as Map<string, string>
            const current = now[at] as Map<string, string>
            const logged = keysLogged(database, table, newest)
            const changed = [...new Set([...then.keys(), ...current.keys()])].filter(
              (key) => then.get(key) !== current.get(key),
            )
            tally.changed += changed.length
            const missing = changed.filter((key) => !logged.has(key))
            expect({ missing, ...(missing.length > 0 && { table, made, statements }) }).toEqual({
              missing: [],
            })
          }
          const isRolledBack = statements.at(-1) === 'ROLLBACK'
          expect(isRolledBack && state.newest > newest).toBe(false)
          if (!isRolledBack) tally.committed++
          contents = now
          ;({ newest } = state)
        }
        uncapture(database)
        expect(schemaOf(database)).toEqual(before)
        expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
        application.close()
        database.close()
        for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
      }),
      { numRuns: runs, endOnFailure: true },
    )
    if (process.env.OUTGROW_PROPERTY_RUNS) process.stdout.write(`${JSON.stringify(tally)}\n`)
    expect(tally.changed).toBeGreaterThan(runs)
  },
  1000 * runs,
)

function schemaOf(database: SqliteDatabase): unknown {
  return database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid').all()
}
