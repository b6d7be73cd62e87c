import { openSqlite } from '@outgrow/databases'
import { capture, isCaptured, uncapture } from '../src/source/sqlite/live/capture.ts'
import { prepareAside, prepareReturn, type PreparedNames } from '../src/source/sqlite/live/put-aside.ts'

// Captures, puts aside, puts back and takes everything back, again and again, until it is killed.

const database = openSqlite(process.argv[2] ?? '')
const names = database
  .prepare(
    `SELECT replace(name, '_graduated_', '') FROM sqlite_schema
      WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_outgrow%' ESCAPE '\\'`,
  )
  .pluck()
  .all() as string[]

function commit(change: PreparedNames): void {
  database.exec('BEGIN IMMEDIATE')
  change.apply(database)
  database.exec('COMMIT')
}

const isAside = () =>
  database.prepare(`SELECT 1 FROM sqlite_schema WHERE name LIKE '\\_graduated\\_%' ESCAPE '\\'`).get() !==
  undefined

process.send?.('ready')
for (;;) {
  if (isAside()) commit(prepareReturn(database, { capture: true }))
  else if (!isCaptured(database)) {
    const tables = names.map((name, at) => ({ number: at + 1, name, key: ['id'] }))
    const target = { database: 'x', schema: 'public', system: null }
    capture(database, tables, { graduation: 'g', epoch: 1, maxLog: 1000, target })
    database.exec(`INSERT INTO "${names[0]}" (email) VALUES (random())`)
    commit(prepareAside(database, names))
    continue
  }
  uncapture(database)
}
