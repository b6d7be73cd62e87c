import { openSqlite, quoteIdentifier, readSourceTables, type SqliteDatabase } from '@outgrow/databases'
import { temporaryFolder } from '@outgrow/testing'
import * as fc from 'fast-check'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { capture } from '../src/source/sqlite/live/capture.ts'
import { captureKey, captureProblems } from '../src/source/sqlite/live/capture-problems.ts'
import { prepareAside, prepareReturn } from '../src/source/sqlite/live/put-aside.ts'
import { draws, randomChange, randomSchema } from './live-schemas.ts'

const runs = Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3) * 40

interface Row {
  type: string
  name: string
  tbl_name: string
  sql: string | null
}

function rowsOf(database: SqliteDatabase, types = ['table', 'index', 'trigger', 'view']): Row[] {
  return database
    .prepare(
      `SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN (SELECT value FROM json_each(?)) ORDER BY rowid`,
    )
    .all(JSON.stringify(types)) as Row[]
}

function attempt(database: SqliteDatabase, sql: string): boolean {
  try {
    database.exec(sql)
    return true
  } catch {
    return false
  }
}

const isOrdinary = ({ name, sql }: Row) =>
  !name.includes('_outgrow_') && !name.startsWith('full text') && sql?.startsWith('CREATE VIRTUAL') !== true

/** What `ALTER TABLE … RENAME` makes of a schema without the triggers and views that it would rewrite too. */
function renamedBySqlite(path: string, sql: string[], names: string[]): Row[] {
  const database = openSqlite(path)
  for (const one of sql) if (/^CREATE (TABLE|INDEX|UNIQUE)/.test(one)) attempt(database, one)
  for (const name of names)
    database.exec(`ALTER TABLE ${quoteIdentifier(name)} RENAME TO ${quoteIdentifier(`_graduated_${name}`)}`)
  const rows = rowsOf(database)
  database.close()
  return rows
}

test(
  'tables are put aside as SQLite renames them, and come back as they were, whatever the schema',
  () => {
    const folder = temporaryFolder()
    let files = 0
    fc.assert(
      fc.property(draws, (draw) => {
        const path = join(folder, `${++files}.db`)
        const database = openSqlite(path)
        database.pragma('synchronous = OFF')
        database.pragma('foreign_keys = OFF')
        const schema = randomSchema(draw)
        const made = schema.sql.filter((sql) => attempt(database, sql))
        for (let at = 0; at < 10; at++) attempt(database, randomChange(draw.pick(schema.tables), draw))
        const sources = readSourceTables(database).filter(
          (table) => table.owner === undefined && !table.virtual && draw.chance(0.8),
        )
        const names = sources.map(({ name }) => name)
        const tables = sources.flatMap((table, at) =>
          captureProblems([table], database).length > 0
            ? []
            : [{ number: at + 1, name: table.name, key: captureKey(database, table) ?? [] }],
        )
        const target = { database: 'x', schema: 'public', system: null }
        capture(database, tables, { graduation: 'g', epoch: 1, maxLog: 1000, target })
        const before = rowsOf(database)
        const counts = names.map((name) => countOf(database, name))

        const aside = prepareAside(database, names)
        database.exec('BEGIN IMMEDIATE')
        aside.apply(database)
        database.exec('COMMIT')
        const ordinary = rowsOf(database, ['table', 'index']).filter(isOrdinary)
        expect(ordinary).toEqual(renamedBySqlite(`${path}-renamed`, made, names))
        expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
        expect(names.map((name) => countOf(database, `_graduated_${name}`))).toEqual(counts)
        for (const name of names)
          expect(() => database.prepare(`DELETE FROM ${quoteIdentifier(name)}`)).toThrow('_outgrow_moved')

        if (draw.chance(0.3)) database.exec('VACUUM')
        const back = prepareReturn(database, { capture: true })
        database.exec('BEGIN IMMEDIATE')
        back.apply(database)
        database.exec('COMMIT')
        expect(rowsOf(database)).toEqual(before)
        expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
        expect(names.map((name) => countOf(database, name))).toEqual(counts)
        database.close()
        for (const suffix of ['', '-wal', '-shm', '-renamed', '-renamed-wal', '-renamed-shm'])
          rmSync(path + suffix, { force: true })
      }),
      { numRuns: runs, endOnFailure: true },
    )
  },
  1000 * runs,
)

function countOf(database: SqliteDatabase, name: string): unknown {
  return database
    .prepare(`SELECT count(*) FROM ${quoteIdentifier(name)}`)
    .pluck()
    .get()
}
