import { chmodSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSqlite } from '@outgrow/databases'
import { makeSqlite } from '@outgrow/testing'
import { openFile } from '../src/steps/live/open-file.ts'
import { LiveFile } from '../src/source/sqlite/live/live-file.ts'

test('a write lock that stays taken is an expected failure, however it is asked for', async () => {
  const path = makeSqlite('CREATE TABLE t (id INTEGER PRIMARY KEY)', (database) =>
    database.pragma('journal_mode = WAL'),
  )
  const application = openSqlite(path)
  application.exec('BEGIN IMMEDIATE')
  using file = new LiveFile(path)
  const busy = expect.objectContaining({ code: 'OUTGROW_SOURCE_BUSY' })
  await expect(file.lock(20)).rejects.toEqual(busy)
  const begin = () => file.writer.exec('BEGIN IMMEDIATE')
  expect(() => file.waiting(begin, 20)).toThrow(busy)
  application.exec('COMMIT')
  file.waiting(begin, 20)
  application.close()
})

// Root may write to everything.
test.skipIf(process.getuid?.() === 0)('a file that may not be written to is refused first', async () => {
  const path = makeSqlite('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  chmodSync(path, 0o444)
  const run = { request: { path } } as Parameters<typeof openFile.run>[0]
  await expect(openFile.run(run, undefined)).rejects.toMatchObject({ code: 'OUTGROW_SOURCE_UNREADABLE' })
})
