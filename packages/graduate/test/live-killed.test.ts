import { openSqlite, type SqliteDatabase } from '@outgrow/databases'
import { makeSqlite } from '@outgrow/testing'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { uncapture } from '../src/source/sqlite/live/capture.ts'
import { prepareReturn } from '../src/source/sqlite/live/put-aside.ts'

const kills = Number(process.env.OUTGROW_KILLS ?? 8)

const schemaOf = (database: SqliteDatabase) =>
  database
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid')
    .raw()
    .all() as string[][]

/** How the schema is named by what is in it. */
function stateOf(rows: string[][]): string {
  const has = (prefix: string, type: string) =>
    rows.filter(([kind, name]) => kind === type && name?.startsWith(prefix)).length
  return [has('_outgrow_', 'table'), has('_outgrow_', 'trigger') > 0, has('_graduated_', 'table')].join()
}

test('a process killed at any moment leaves the one state or the other, whole', async () => {
  const tables = Array.from(
    { length: 20 },
    (
      _,
      at,
    ) => `CREATE TABLE t${at} (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE, parent REFERENCES t${at >> 1} (id));
      CREATE TRIGGER tr${at} AFTER INSERT ON t${at} BEGIN SELECT 1; END; CREATE VIEW v${at} AS SELECT * FROM t${at};`,
  )
  const path = makeSqlite(tables.join('\n'))
  const first = openSqlite(path)
  const before = schemaOf(first)
  first.close()
  const seen = new Map<string, string>()
  for (let kill = 0; kill < kills; kill++) {
    const child = fork(join(import.meta.dirname, 'live-killed-process.ts'), [path])
    await once(child, 'message')
    await setTimeout(Math.random() * 120)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const database = openSqlite(path)
    const rows = schemaOf(database)
    const state = stateOf(rows)
    // Each state is one schema, byte for byte, whenever it is found.
    seen.set(state, seen.get(state) ?? JSON.stringify(rows))
    expect(JSON.stringify(rows)).toBe(seen.get(state))
    expect(['0,false,0', '5,true,0', '5,false,20']).toContain(state)
    expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
    database.close()
  }
  const database = openSqlite(path)
  if (stateOf(schemaOf(database)) === '5,false,20') {
    const back = prepareReturn(database, { capture: false })
    database.exec('BEGIN IMMEDIATE')
    back.apply(database)
    database.exec('COMMIT')
  }
  uncapture(database)
  expect(schemaOf(database)).toEqual(before)
})
