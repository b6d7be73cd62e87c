import { copyFileSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { copySqliteFile, openSqlite, openSqliteReadonly, type SqliteDatabase } from '@outgrow/databases'
import { makeSqlite, temporaryFolder } from '@outgrow/testing'

const quiet = { signal: new AbortController().signal, onPages: () => {} }

/** What a process that is killed now would leave beside the file. */
function changing(database: SqliteDatabase, mode: string): void {
  database.pragma(`journal_mode = ${mode}`)
  database.pragma('wal_autocheckpoint = 0')
  database.pragma('cache_size = 5')
  if (mode === 'DELETE') database.exec('BEGIN')
  database.exec("UPDATE t SET v = 'changed ' || v")
}

test.each([
  ['WAL', '-wal'],
  ['DELETE', '-journal'],
])('a copy takes nothing from one that was killed in %s mode', async (mode, suffix) => {
  const from = makeSqlite('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)', (database) => {
    database.pragma('journal_mode = WAL')
    database.exec(
      `INSERT INTO t SELECT value, hex(randomblob(100)) FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 2000) SELECT value FROM n)`,
    )
  })
  const to = join(temporaryFolder(), 'copy.sqlite')
  await copySqliteFile(from, to, quiet)
  const killed = openSqlite(to)
  changing(killed, mode)
  copyFileSync(`${to}${suffix}`, `${to}.left`)
  killed.close()
  renameSync(`${to}.left`, `${to}${suffix}`)

  const application = openSqlite(from)
  application.exec('DELETE FROM t WHERE id > 100; VACUUM')
  await copySqliteFile(from, to, quiet)
  expect(readdirSync(dirname(to)).filter((name) => name.startsWith(basename(to)))).toEqual([basename(to)])
  const copied = openSqliteReadonly(to)
  expect(copied.pragma('integrity_check', { simple: true })).toBe('ok')
  const rows = 'SELECT * FROM t ORDER BY id'
  expect(copied.prepare(rows).all()).toEqual(application.prepare(rows).all())
  copied.close()
  application.close()
})
