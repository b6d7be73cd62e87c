import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { openSqlite, openSqliteReadonly, type SqliteDatabase } from '@outgrow/databases'
import type { GraduationReport, GraduationStatus } from '@outgrow/graduate'
import { makeDatabase, until, type TestDatabase } from '@outgrow/testing'
import { makeShop, outgrow, startOutgrow, type Started } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

const target = (): Promise<TestDatabase> => makeDatabase(inject('postgresUrl'))

const schemaRows = (file: string) => {
  const database = openSqliteReadonly(file)
  try {
    return database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid').all()
  } finally {
    database.close()
  }
}

interface Graduating {
  file: string
  /** Options that name both ends. */
  ends: string[]
  database: TestDatabase
  application: SqliteDatabase
  started: Started<unknown>
}

/** A shop that is followed, until it is told to switch. */
async function following(
  orders: number,
  more: string[] = [],
  fill?: (database: SqliteDatabase) => void,
): Promise<Graduating> {
  const { file, schema } = makeShop(orders, fill)
  const database = await target()
  const ends = ['--from', file, '--to', database.url]
  const started = startOutgrow([
    'graduate',
    ...ends,
    '--schema',
    schema,
    '--work-dir',
    dirname(file),
    ...more,
  ])
  await started.says('Verified')
  return { file, ends, database, application: openSqlite(file), started }
}

const run = (command: string, ends: string[], more: string[] = []) =>
  outgrow<GraduationReport>(['graduate', command, ...ends, ...more])

const order = (application: SqliteDatabase, note: string) =>
  application.prepare(`INSERT INTO "Order" (customerId, note, at) VALUES (1, ?, 1700000000000)`).run(note)

test('a graduation is switched from another terminal, goes back with what Postgres had, and forward again', async () => {
  const { file, ends, database, application, started } = await following(2000)
  order(application, 'while it follows')
  const status = await outgrow<{ graduation: GraduationStatus }>(['graduate', 'status', ...ends])
  expect(status.document.graduation).toMatchObject({ state: 'following', side: 'sqlite', obstacles: [] })
  expect(status.document.graduation.follower).toContain(`process ${started.child.pid}`)
  const dry = await run('cutover', ends, ['--dry-run'])
  expect({ code: dry.code, state: dry.document.state }).toEqual({ code: 0, state: 'following' })

  const switched = await run('cutover', ends, ['--budget-ms', '60000'])
  expect({ code: switched.code, pauses: switched.document.pauses.length }).toEqual({ code: 0, pauses: 1 })
  expect((await started.ended).code).toBe(0)
  expect(() => order(application, 'too late')).toThrow('no such table: main._outgrow_moved')
  application.exec('CREATE TABLE IF NOT EXISTS "Order" (id INTEGER)')
  expect(() => application.prepare('SELECT * FROM "Order"')).toThrow('no such table: main._outgrow_moved')
  const [moved] = await database.query(
    `SELECT count(*)::int AS orders FROM "Order" WHERE note = 'while it follows'`,
  )
  expect(moved).toEqual({ orders: 1 })

  await database.query(
    `INSERT INTO "Order" ("customerId", note, at) VALUES (2, 'in Postgres', '2026-01-02T03:04:05.006Z')`,
  )
  await database.query(`UPDATE "Order" SET note = 'changed' WHERE id = 5`)
  await database.query(`DELETE FROM "Order" WHERE id = 6`)
  const back = await run('rollback', ends, ['--budget-ms', '60000'])
  expect({ code: back.code, error: back.document.error }).toEqual({ code: 0, error: null })
  const rows = application.prepare(
    `SELECT id, note, at FROM "Order" WHERE id IN (5, 6) OR note = 'in Postgres' ORDER BY id`,
  )
  expect(rows.all()).toEqual([
    { id: 5, note: 'changed', at: expect.any(Number) as number },
    { id: 2002, note: 'in Postgres', at: 1767323045006 },
  ])
  order(application, 'after the way back')
  await expect(database.query('SELECT 1 FROM "Order"')).rejects.toThrow('does not exist')

  const again = await run('cutover', ends, ['--budget-ms', '60000'])
  expect(again.code).toBe(0)
  expect(await database.query(`SELECT id FROM "Order" WHERE note = 'after the way back'`)).toEqual([
    { id: 2003 },
  ])
  const completed = await outgrow<{ archive: { path: string } }>(['graduate', 'complete', ...ends])
  expect(completed.code).toBe(0)
  const archive = openSqliteReadonly(completed.document.archive.path)
  expect(archive.prepare('SELECT count(*) AS orders FROM "Order"').get()).toEqual({ orders: 2002 })
  archive.close()
  expect(
    (await outgrow<{ graduation: GraduationStatus }>(['graduate', 'status', ...ends])).document.graduation
      .state,
  ).toBe('completed')
  application.close()
  const late = openSqlite(file)
  expect(() => late.prepare('SELECT * FROM "Order"')).toThrow('_outgrow_moved')
})

test('a graduation that is cancelled leaves both sides as they were', async () => {
  const before = makeShop(500)
  const schema = schemaRows(before.file)
  const { file, ends, database, application, started } = await following(500)
  order(application, 'while it follows')
  const cancelled = await run('cancel', ends, ['--work-dir', dirname(file)])
  expect(cancelled.code).toBe(0)
  expect((await started.ended).code).toBe(0)
  expect(schemaRows(file)).toEqual(schema)
  expect(
    await database.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
  ).toEqual([])
  expect(await database.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")).toEqual(
    [],
  )
  expect(readdirSync(`${dirname(file)}/graduations`)).toEqual([])
  expect((await run('cancel', ends)).document).toMatchObject({ ok: true, graduation: null })
})

test('a graduation is taken back only with its own target, or without one that is gone', async () => {
  const { file, ends, database, started } = await following(100)
  const other = await target()
  const elsewhere = ['--from', file, '--to', other.url, '--work-dir', dirname(file)]
  const refused = await run('cancel', elsewhere)
  expect({ code: refused.code, error: refused.document.error?.code }).toEqual({
    code: 2,
    error: 'OUTGROW_NO_GRADUATION',
  })
  expect((await run('cutover', ends, ['--dry-run'])).document.state).toBe('following')
  started.child.kill('SIGKILL')
  await started.ended
  // The file forgets it, as one that is replaced by a backup does; the target is set right with the same command.
  expect((await run('cancel', elsewhere, ['--target-gone'])).code).toBe(0)
  expect((await run('cancel', ends)).document.graduation).not.toBe(null)
  expect(await database.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")).toEqual(
    [],
  )
})

test('rehearsals say what the switch would cost, and are taken back', async () => {
  const { file, schema } = makeShop(1000)
  const rows = schemaRows(file)
  const database = await target()
  const rehearsed = await outgrow<GraduationReport>([
    'graduate',
    '--from',
    file,
    '--to',
    database.url,
    '--schema',
    schema,
    '--rehearse',
    '3',
    '--work-dir',
    dirname(file),
  ])
  expect(rehearsed.document.pauses.map(({ kind }) => kind)).toEqual(['rehearsal', 'rehearsal', 'rehearsal'])
  expect({ code: rehearsed.code, state: rehearsed.document.state }).toEqual({ code: 0, state: 'none' })
  expect(schemaRows(file)).toEqual(rows)
})

test('a rehearsal leaves a graduation alone that was under way, whether somebody follows or not', async () => {
  const { file, ends, started } = await following(100)
  const { schema } = makeShop(0)
  const rehearse = () =>
    outgrow<GraduationReport>([
      'graduate',
      ...ends,
      '--schema',
      schema,
      '--rehearse',
      '2',
      '--work-dir',
      dirname(file),
    ])
  for (const followed of [true, false]) {
    const { code, document } = await rehearse()
    expect({ followed, code, state: document.state, pauses: document.pauses.length }).toEqual({
      followed,
      code: 0,
      state: 'following',
      pauses: 2,
    })
    expect(document.notes.join()).toContain('outgrow graduate cancel')
    started.child.kill('SIGKILL')
    await started.ended
  }
  expect((await run('cutover', ends, ['--budget-ms', '60000'])).code).toBe(0)
})

test('a migration meanwhile begins the copy again, with the new schema', async () => {
  const { ends, application, started } = await following(500)
  application.exec('CREATE INDEX "Order_customerId_idx" ON "Order" (customerId)')
  await started.says('The copy begins again')
  await until(async () => {
    const { document } = await outgrow<{ graduation: GraduationStatus }>(['graduate', 'status', ...ends])
    return document.graduation.verified?.isEqual === true
  })
  expect((await run('cutover', ends, ['--budget-ms', '60000'])).code).toBe(0)
  const { code, document } = await started.ended
  expect({ code, findings: (document as GraduationReport).findings }).toEqual({ code: 0, findings: [] })
})

test('a column that is added meanwhile comes along where the schema is read from the file', async () => {
  const { file } = makeShop(100)
  const { url, query } = await target()
  const ends = ['--from', file, '--to', url]
  const started = startOutgrow(['graduate', ...ends, '--schema', 'introspect', '--work-dir', dirname(file)])
  await started.says('Verified')
  const application = openSqlite(file)
  application.exec(
    `ALTER TABLE "Customer" ADD COLUMN city TEXT; UPDATE "Customer" SET city = 'Oslo' WHERE id = 1`,
  )
  await started.says('The copy begins again')
  await until(async () => {
    const { document } = await outgrow<{ graduation: GraduationStatus }>(['graduate', 'status', ...ends])
    return document.graduation.verified?.isEqual === true
  })
  expect((await run('cutover', ends, ['--budget-ms', '60000'])).code).toBe(0)
  expect(await query(`SELECT city FROM "Customer" WHERE id = 1`)).toEqual([{ city: 'Oslo' }])
  application.close()
})

test('a value that cannot be moved as it is holds the switch up until the application corrects it', async () => {
  const { ends, application, started } = await following(500)
  application.exec(`INSERT INTO "Order" (customerId, note, at) VALUES (1, 'bad', 'yesterday')`)
  await started.says('"Order.at"'.replaceAll('"', ''))
  const refused = await run('cutover', ends, ['--budget-ms', '60000'])
  expect(refused.document.error?.code).toBe('OUTGROW_BAD_VALUES')
  application.exec(`UPDATE "Order" SET at = 1700000000000 WHERE note = 'bad'`)
  expect((await run('cutover', ends, ['--budget-ms', '60000'])).code).toBe(0)
  expect((await started.ended).code).toBe(0)
})

test('what cannot be graduated live is refused before anything is touched, all of it at once', async () => {
  const { file, schema } = makeShop(10, (database) => {
    database.exec('DROP INDEX "Order_note_key"; CREATE UNIQUE INDEX "Order_note_key" ON "Order"(note)')
    database.pragma('journal_mode = DELETE')
    database.pragma('foreign_keys = OFF')
    database.exec(`INSERT INTO "Order" (customerId, note, at) VALUES (999999, 'orphan', 1700000000000)`)
  })
  const rows = schemaRows(file)
  const database = await target()
  const refused = await outgrow(['graduate', '--from', file, '--to', database.url, '--schema', schema])
  expect(refused.code).toBe(2)
  expect(refused.document.error?.code).toBe('OUTGROW_LIVE_REFUSED')
  expect(refused.document.findings.flatMap(({ fixes }) => fixes).join()).not.toContain('orphans-')
  expect(refused.document.findings.map(({ code }) => code).toSorted()).toEqual([
    'OUTGROW_LIVE_JOURNAL_MODE',
    'OUTGROW_ORPHAN',
  ])
  expect(schemaRows(file)).toEqual(rows)
  expect(await database.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")).toEqual(
    [],
  )
})

test('a log that is full begins the copy again when somebody follows', async () => {
  const { ends, file, application, started } = await following(500, ['--max-log', '1000'])
  started.child.kill('SIGKILL')
  await started.ended
  application.exec(
    `UPDATE "Order" SET note = note || 'x'; UPDATE "Order" SET note = note || 'y'; UPDATE "Order" SET note = note || 'z'`,
  )
  const status = await outgrow<{ graduation: GraduationStatus }>(['graduate', 'status', ...ends])
  expect(status.document.graduation).toMatchObject({ overflowed: true, room: 0 })
  const { schema } = makeShop(0)
  const auto = await outgrow<GraduationReport>([
    'graduate',
    ...ends,
    '--schema',
    schema,
    '--work-dir',
    dirname(file),
    '--cutover',
    'auto',
    '--budget-ms',
    '60000',
  ])
  expect({ code: auto.code, state: auto.document.state }).toEqual({ code: 0, state: 'switched' })
})

test('a command runs after the switch; when it fails, the switch stands', async () => {
  const { file, schema } = makeShop(100)
  const database = await target()
  const failed = await outgrow<GraduationReport>([
    'graduate',
    '--from',
    file,
    '--to',
    database.url,
    '--schema',
    schema,
    '--work-dir',
    dirname(file),
    '--cutover',
    'auto',
    '--budget-ms',
    '60000',
    '--on-cutover',
    'test -n "$POSTGRES_URL" && exit 7',
  ])
  expect({ code: failed.code, state: failed.document.state }).toEqual({ code: 4, state: 'switched' })
  expect(failed.document.notes.join('\n')).toContain('ended with 7')
})

test('rows that point nowhere hold the switch up, and are named, until they are gone', async () => {
  const { ends, application, started } = await following(200)
  application.pragma('foreign_keys = OFF')
  application.exec(`INSERT INTO "Order" (customerId, note, at) VALUES (999999, 'orphan', 1700000000000)`)
  const refused = await run('cutover', ends, ['--budget-ms', '60000', '--leave-behind'])
  expect(refused.document.error?.message).toContain(
    'Order.customerId references a row of Customer that does not exist (1 row)',
  )
  application.exec(`DELETE FROM "Order" WHERE note = 'orphan'`)
  expect((await run('cutover', ends, ['--budget-ms', '60000'])).code).toBe(0)
  expect((await started.ended).code).toBe(0)
})

test('at a time it switches by itself, holding writes for as long as it takes', async () => {
  const { started, ends } = await following(200, [
    '--at',
    new Date(Date.now() + 1000).toISOString(),
    '--stop-writes',
  ])
  const { code, document } = await started.ended
  expect({ code, state: (document as GraduationReport).state }).toEqual({ code: 0, state: 'switched' })
  const again = await outgrow<GraduationReport>(['graduate', ...ends])
  expect({ code: again.code, pauses: again.document.pauses }).toEqual({ code: 0, pauses: [] })
})

test('tables that somebody makes in the target meanwhile are named, and nothing is switched', async () => {
  const { ends, database, started } = await following(200)
  await database.query('CREATE TABLE "Order" (id int)')
  const refused = await run('cutover', ends, ['--budget-ms', '60000'])
  expect(refused.document.error).toMatchObject({ code: 'OUTGROW_TARGET_CHANGED' })
  expect((await started.ended).document).toMatchObject({ error: { code: 'OUTGROW_TARGET_NOT_EMPTY' } })
})

test('an option that only the graduation itself has is refused beside what ends it', async () => {
  const { file } = makeShop(1)
  const { code, stderr } = await outgrow(['graduate', 'cancel', '--from', file, '--rehearse', '3'])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('--rehearse is no option of graduate cancel.') as string,
  })
})
